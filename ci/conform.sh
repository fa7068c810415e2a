#!/usr/bin/env bash
# Judges event loops and selectors with `muxloop conform`; sets up all it needs at the first run.
# Without a subject: muxloop on every available backend, and every selector.
# Usage: [PYTHON=python3.13] ci/conform.sh [SUBJECT...] [OPTION...]
set -euo pipefail

# Stays in the caller's folder: paths of reports and modules of subjects are meant from there.
commands=$("$(dirname "${BASH_SOURCE[0]}")/venv.sh" .venv -e '.[dev]')
exec "$commands/muxloop" conform "$@"
