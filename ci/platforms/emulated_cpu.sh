#!/usr/bin/env bash
# arm64, s390x: Debian 12's Python for another processor, by QEMU's emulation of one program at a time.
# Usage: ci/platforms/emulated_cpu.sh up|run NAME   (see ci/platforms.sh)
#
# Emulation is slow: these are smoke tests, of the selectors, and of the timers, connections
# and the life cycle of the loop.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ci/platforms/debian.sh

step=$1
name=$2
folder=$MUXLOOP_PLATFORMS_DIR/$name
root=$MUXLOOP_PLATFORMS_DIR/debian-bookworm-$name
# Bytes of an ELF file: 5 is the order of its bytes, 18 and 19 are the machine, in that order.
case $name in
    arm64)
        emulator=qemu-aarch64-static
        order='\x01'
        machine='\xb7\x00'
        ;;
    s390x)
        emulator=qemu-s390x-static
        order='\x02'
        machine='\x00\x16'
        ;;
esac
tests=(
    tests/test_{backend_choice,one_behaviour_selectors,uring_probe}.py
    tests/test_selectors{,_errnos,_fork,_limits,_lost_files,_uring}.py
    tests/test_loop_{contexts,datagrams,interface,life_cycle,readiness,servers,tasks,timers,tls,unix_sockets}.py
)
subjects=(muxloop selector:epoll selector:poll selector:select)

unpack() {
    local foreign=$root.foreign archive
    bootstrap "$foreign" bookworm --foreign --arch="$name" --include=ca-certificates,python3,python3-venv
    # Taken apart, not installed: no script of theirs has to run, and Python needs none.
    for archive in "$foreign"/var/cache/apt/archives/*.deb; do dpkg -x "$archive" "$foreign"; done
    echo 'root:x:0:0:root:/root:/bin/bash' >"$foreign/etc/passwd"
    echo 'root:x:0:' >"$foreign/etc/group"
    mv "$foreign" "$root"
}

# In a user name space of its own binfmt_misc is empty, and the machine's stays as it is (Linux 6.7).
emulating() {
    # shellcheck disable=SC2016
    unshare --user --map-root-user --mount bash -euc '
        mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
        # F: opened now, for in the root folder it cannot be found.
        echo ":muxloop:M::$1:$2:$3:F" >/proc/sys/fs/binfmt_misc/register
        . ci/platforms/debian.sh
        inside "${@:4}"
    ' emulating "\x7fELF\x02$order$(printf '\\x00%.0s' {1..12})$machine" \
        "$(printf '\\xff%.0s' {1..6})$(printf '\\x00%.0s' {1..12})\xff\xff" \
        "$(command -v "$emulator")" "$root" "$folder" PYTHON=python3 "$@"
}

need "$emulator" qemu-user-static
ci/platforms/copy_tree.sh "$folder/checkout"
if [ "$step" = up ]; then
    if [ ! -d "$root" ]; then unpack; fi
    emulating true || skip "no user name space can run programs of another processor here (before Linux 6.7)"
fi
export MUXLOOP_TIME_SCALE=${MUXLOOP_TIME_SCALE:-10}
version=$("$emulator" --version | grep -oE 'version [0-9.]+')
emulating /muxloop/checkout/ci/platforms/trial.sh "$step" --on "QEMU ${version#* }" \
    --tests "${tests[*]}" --conform "${subjects[*]}"
