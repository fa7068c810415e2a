#!/usr/bin/env bash
# Copies the files of the work tree that git knows to FOLDER. What else lies there is deleted, save its .venv.
# Usage: ci/platforms/copy_tree.sh FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=$1
if ! git rev-parse --is-inside-work-tree >/dev/null; then
    echo "ci/platforms/copy_tree.sh: $PWD is no git work tree, so nothing tells which files are its own; clone it" >&2
    exit 1
fi
mkdir -p "$folder"
find "$folder" -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf {} +
# A file that is deleted and not yet committed is still listed.
git ls-files -z | while IFS= read -r -d '' file; do
    if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | tar --create --null --files-from=- | tar --extract --directory="$folder" --no-same-owner
