#!/usr/bin/env bash
# Soaks all backends at the same time and compares what they hold with the beginning; see ci/soak/.
# Usage: [PYTHON=python3.13] ci/soak.sh [MINUTES=30] [--seed N] [--backend NAME]...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commands=$(ci/venv.sh .venv -e '.[dev]')
exec "$commands/python" ci/soak "$@"
