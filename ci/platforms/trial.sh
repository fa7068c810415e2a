#!/usr/bin/env bash
# In the copy of the work tree that it lies in: `up` sets up .venv, `run` has trial.py run the tests there.
# Usage: [PYTHON=python3.14] ci/platforms/trial.sh up|run [TRIAL-ARGUMENT...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

step=$1
shift
commands=$(ci/venv.sh .venv -e '.[dev]')
if [ "$step" = run ]; then "$commands/python" ci/platforms/trial.py "$@"; fi
