#!/usr/bin/env bash
# Runs the project's tests on all cores; sets up all they need at the first run.
# Usage: [PYTHON=python3.13] [MUXLOOP_BACKEND=poll] ci/test.sh [PYTEST-ARGUMENT...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commands=$(ci/venv.sh .venv -e '.[dev]')
unset PYTHONDONTWRITEBYTECODE # each of the thousands of playing processes would compile the package anew
exec "$commands/pytest" -n auto --dist worksteal "$@"
