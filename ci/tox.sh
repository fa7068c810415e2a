#!/usr/bin/env bash
# Runs tox, from an environment of its own.
# Usage: [PYTHON=python3.13] ci/tox.sh [TOX-ARGUMENT...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commands=$(ci/venv.sh .tox/runner 'tox>=4.21')
exec "$commands/tox" "$@"
