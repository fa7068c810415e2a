#!/usr/bin/env bash
# Makes the virtual environment FOLDER (relative to the repository root) and installs REQUIREMENTs there.
# Prints the folder of its commands, and that alone, on standard output; what is going on goes to standard error.
# Usage: [PYTHON=python3.13] ci/venv.sh FOLDER REQUIREMENT...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1
shift

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' </dev/null >/dev/null 2>&1; }

find_python() {
    local candidate candidates=(python3 python3.13 python3.12 python3.14 python3.11 python pypy3.11)
    if [ -n "${PYTHON:-}" ]; then candidates=("$PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        # A name on PATH can be a pyenv shim that answers for no version: only running it tells.
        if recent "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "ci/venv.sh: no Python 3.11 or later${PYTHON:+ at PYTHON=$PYTHON}; install one, or name it: PYTHON=/path/to/python3.13 $0" >&2
    return 1
}

commands() {
    local commands=$PWD/$folder/bin
    if [ -d "$PWD/$folder/Scripts" ]; then commands=$PWD/$folder/Scripts; fi # Windows
    echo "$commands"
}

# Everything that would make an environment made earlier the wrong one. A copied clone counts: an
# editable install goes on pointing at the folder it was made in.
wanted=$(printf '%s\n' "$PWD" "${PYTHON:-}" "$@" && cat pyproject.toml)
stamp=$folder/installed

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ] || ! recent "$(commands)/python"; then
    python=$(find_python)
    echo "ci/venv.sh: setting up $folder with $("$python" -V 2>&1 | head -n 1)" >&2
    if ! "$python" -m venv --clear "$folder" >&2; then
        rm -rf "$folder"
        echo "ci/venv.sh: $python has no working venv; install it (Debian, Ubuntu: apt-get install python3-venv)" >&2
        exit 1
    fi
    "$(commands)/python" -m pip install --quiet --disable-pip-version-check "$@" </dev/null >&2
    printf '%s\n' "$wanted" >"$stamp"
fi
commands
