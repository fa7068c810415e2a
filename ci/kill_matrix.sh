#!/usr/bin/env bash
# Judges every planted fault by the rules of its group, and shows which rules catch which fault.
# Usage: [PYTHON=python3.13] ci/kill_matrix.sh [--all-rules] [--profile NAME] [--markdown FILE] [GLOB...]
#   GLOB              only faults whose names fit
#   --all-rules       judge each fault by every rule, not only by those of its group (hours)
#   --profile NAME    quick or default (default)
#   --markdown FILE   write the page, docs/kill-matrix.md for the whole of them
# Exit code: 0 each fault was caught by the rule that it breaks; 1 one was not; 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commands=$(ci/venv.sh .venv -e '.[dev]')
exec "$commands/python" ci/kill_matrix.py "$@"
