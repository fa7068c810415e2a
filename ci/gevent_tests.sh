#!/usr/bin/env bash
# Runs gevent's own tests on muxloop's loop for gevent, and tells a line about each backend; see ci/gevent_tests/.
# Usage: [PYTHON=python3.13] ci/gevent_tests.sh [--loop libev-cext] [--only MODULE]... [BACKEND...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commands=$(ci/venv.sh .gevent-tests -e . 'gevent==26.9.0')
exec "$commands/python" ci/gevent_tests "$@"
