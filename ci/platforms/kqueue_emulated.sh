#!/usr/bin/env bash
# kqueue-emulated: this machine's Python, all of it on our kqueue backend over tests/kqueue_emulation.py.
# Usage: ci/platforms/kqueue_emulated.sh up|run kqueue-emulated   (see ci/platforms.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

checkout=$MUXLOOP_PLATFORMS_DIR/$2/checkout
ci/platforms/copy_tree.sh "$checkout"
selector=selectors_under_test:EmulatedKqueueSelector
if [ "$1" = run ]; then export PYTHONPATH=$checkout/tests MUXLOOP_BACKEND=$selector; fi
"$checkout/ci/platforms/trial.sh" "$1" --conform "muxloop selector:$selector"
