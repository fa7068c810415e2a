#!/usr/bin/env bash
# kqueue-emulated: this machine's Python, all of it on our kqueue backend over tests/kqueue_emulation.py.
# Usage: ci/platforms/kqueue_emulated.sh up|run kqueue-emulated   (see ci/platforms.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

step=$1
checkout=$MUXLOOP_PLATFORMS_DIR/$2/checkout

ci/platforms/copy_tree.sh "$checkout"
cd "$checkout"
commands=$(ci/venv.sh .venv -e '.[dev]')
if [ "$step" = run ]; then
    export PYTHONPATH=$checkout/tests
    export MUXLOOP_BACKEND=selectors_under_test:EmulatedKqueueSelector
    "$commands/python" ci/platforms/trial.py \
        --conform 'muxloop selector:selectors_under_test:EmulatedKqueueSelector'
fi
