#!/usr/bin/env bash
# Puts each backend under loads that are large, and compares what it holds with the beginning; see ci/stress/.
# Usage: [PYTHON=python3.13] ci/stress.sh [--scale FACTOR] [--backend NAME]... [LOAD...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commands=$(ci/venv.sh .venv -e '.[dev]')
exec "$commands/python" ci/stress "$@"
