#!/usr/bin/env bash
# Judges SUBJECTs over and over, on an idle machine and on a loaded one: are the verdicts always the same?
# Usage: [PYTHON=python3.13] ci/steadiness.sh RUNS SUBJECT... [--rules GLOB,...] [--profile NAME] [--seeds] [-n N]
set -euo pipefail

commands=$("$(dirname "${BASH_SOURCE[0]}")/venv.sh" .venv -e '.[dev]')
exec "$commands/python" "$(dirname "${BASH_SOURCE[0]}")/steadiness" "$@"
