#!/usr/bin/env bash
# Runs other people's test suites on muxloop's loop, and tells a line about each; see ci/downstream/.
# Usage: [PYTHON=python3.13] [MUXLOOP_BACKEND=poll] ci/downstream.sh [--list] [--loop asyncio] [--markdown FILE] NAME...|all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# An environment of its own, of the standard library alone: whatever a suite needs is installed beside its tests.
commands=$(ci/venv.sh .downstream/runner pip)
case " $* " in *" redis "* | *" all "*) ci/redis.sh 2>/dev/null ;; esac
exec "$commands/python" ci/downstream "$@"
