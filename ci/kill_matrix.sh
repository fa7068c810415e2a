#!/usr/bin/env bash
# Judges every planted fault by the rules of its group, and shows which rules catch which fault.
# Usage: [PYTHON=python3.13] ci/kill_matrix.sh [--all-rules] [--markdown FILE [--resume]] [-n N] [GLOB...]
#   GLOB              only faults whose names, or whose rules, fit
#   --all-rules       judge each fault by every rule, not only by those of its group (hours)
#   --markdown FILE   write the page (docs/kill-matrix.md), after every fault; it keeps what it says of the others
#   --resume          judge only those that the page lacks, or says survive
#   -n N              judge so many at a time; without: as many as there are processors
# Exit code: 0 each fault was caught by the rule that it breaks, with each seed; 1 one was not; 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commands=$(ci/venv.sh .venv -e '.[dev]')
exec "$commands/python" ci/kill_matrix.py "$@"
