#!/usr/bin/env bash
# Changes one small thing at a time in our loop, or in CPython's, and lists the changes that no rule notices.
# Usage: [PYTHON=python3.13] ci/mutants.sh [--sample N] [--seed N] [-n N] [MODULE | MODULE#NUMBER]...
#   MODULE       such as muxloop.loop.timers or asyncio.base_events; without: any of those that rules are about
#   --sample N   so many mutants, drawn from those of the modules (100)
#   -n N         judge so many at a time; without: as many as there are processors
# A survivor does the same as the original, or shows what the rules leave out. Some seconds for each mutant.
# Exit code: 0 a rule noticed each; 1 some survive; 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commands=$(ci/venv.sh .venv -e '.[dev]')
exec "$commands/python" ci/mutants.py "$@"
