#!/usr/bin/env bash
# cpython3.14, cpython3.15, pypy3.11: Debian sid's, in a folder. i386: Debian 12's Python, at native speed.
# Usage: ci/platforms/debian_folder.sh up|run NAME   (see ci/platforms.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ci/platforms/debian.sh

step=$1
name=$2
folder=$MUXLOOP_PLATFORMS_DIR/$name
options=()
personality=()
suite=sid
python=python${name#cpython}
packages=("$python" "$python-venv" "$python-dev" "lib$python-testsuite")
case $name in
    pypy3.11)
        python=pypy3
        packages=(pypy3 pypy3-venv pypy3-dev)
        ;;
    i386)
        suite=bookworm
        options=(--arch=i386)
        python=python3
        packages=(python3 python3-venv python3-dev libpython3.11-testsuite)
        # So that uname says i686, as it does to a 32-bit program on a 32-bit kernel.
        personality=(setarch i386)
        ;;
esac
root=$MUXLOOP_PLATFORMS_DIR/debian-$suite${options:+-i386}

here() { inside "$root" "$folder" PYTHON="$python" "${personality[@]}" "$@"; }

if [ "$(id -u)" != 0 ]; then skip "changing the root folder needs root"; fi
if [ -n "${options:-}" ] && [ "$(uname -m)" != x86_64 ]; then skip "only an x86-64 machine runs i386 programs"; fi
ci/platforms/copy_tree.sh "$folder/checkout"
if [ "$step" = up ]; then
    if [ ! -d "$root" ]; then bootstrap "$root" "$suite" "${options[@]}" --include=ca-certificates; fi
    # A compiler for what has no wheel for this interpreter; tests ask `ps` what still runs.
    packages+=(gcc libc6-dev procps)
    # A mirror that is no longer brought up to date serves as well: its signatures are checked all the same.
    here sh -euc 'dpkg --status "$@" >/dev/null 2>&1 || {
        apt-get update -q -o Acquire::Check-Valid-Until=false
        apt-get install -q -y --no-install-recommends "$@"
    }' install "${packages[@]}" || skip "apt-get cannot install ${packages[*]} in Debian $suite"
fi
here /muxloop/checkout/ci/platforms/trial.sh "$step"
