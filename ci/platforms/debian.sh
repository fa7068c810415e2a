# shellcheck shell=bash
# What the kinds share that live in a folder with a Debian system. To be sourced.

skip() {
    printf 'SKIPPED\t%s\n' "$1"
    exit 77
}

# Unless COMMAND is installed: takes Debian's package with it apart, in the cache, and prepends that to PATH.
# Usage: need COMMAND PACKAGE
need() {
    local unpacked=$MUXLOOP_PLATFORMS_DIR/$2
    PATH=$unpacked/usr/sbin:$unpacked/usr/bin:$PATH:/usr/sbin:/sbin
    if command -v "$1" >/dev/null; then return; fi
    if ! command -v apt-get >/dev/null; then skip "$1 is not installed, and there is no apt-get to download it"; fi
    local downloaded
    downloaded=$(mktemp -d)
    (cd "$downloaded" && { apt-get download "$2" || { apt-get update && apt-get download "$2"; }; }) ||
        skip "$1 is not installed, and apt-get cannot download $2"
    rm -rf "$unpacked"
    dpkg -x "$downloaded"/*.deb "$unpacked"
    rm -r "$downloaded"
}

# Makes ROOT by debootstrap: without --foreign it can be used at once, with it only what it needs is downloaded.
# Usage: bootstrap ROOT SUITE OPTION...
bootstrap() {
    local root=$1 suite=$2
    shift 2
    if [ "$(id -u)" != 0 ]; then skip "making a folder with Debian needs root"; fi
    need debootstrap debootstrap
    local own=$MUXLOOP_PLATFORMS_DIR/debootstrap/usr/share/debootstrap
    if [ -d "$own" ]; then export DEBOOTSTRAP_DIR=$own; fi
    rm -rf "$root.part"
    # It mounts /proc and /sys there, and would leave them mounted when it is interrupted.
    unshare --mount --pid --fork --kill-child debootstrap --variant=minbase "$@" "$suite" "$root.part" ||
        skip "debootstrap cannot make Debian $suite: $(tail -n 1 "$root.part/debootstrap/debootstrap.log" || true)"
    # The machine's own authorities: where it reaches the outside through a proxy, that one's is among them.
    mkdir -p "$root.part/etc/ssl/certs" "$root.part/muxloop"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root.part/etc/ssl/certs/"
    cp -L /etc/resolv.conf /etc/hosts "$root.part/etc/"
    mv "$root.part" "$root"
}

# Runs COMMAND in ROOT, where FOLDER is /muxloop. Mounts and processes are in name spaces of their own, which
# the kernel takes down with the last of them, however that ends.
# Usage: inside ROOT FOLDER COMMAND...
inside() {
    # What has no wheel of its latest release for a rare interpreter may have one of an earlier release.
    local name settings=(PIP_PREFER_BINARY=1)
    for name in CI MUXLOOP_{BACKEND,PURE,TIME_SCALE} PYTEST_ADDOPTS PIP_INDEX_URL http{,s}_proxy no_proxy; do
        if [ -n "${!name:-}" ]; then settings+=("$name=${!name}"); fi
    done
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child bash -euc '
        root=$1 folder=$2
        shift 2
        # The first process of its name space hears of no signal that it does not ask for.
        trap "exit 143" TERM INT
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/tmp"
        mount --bind "$folder" "$root/muxloop"
        chroot "$root" env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
    ' inside "$1" "$2" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_CACHE_DIR=/muxloop/pip PIP_ROOT_USER_ACTION=ignore \
        PIP_DISABLE_PIP_VERSION_CHECK=1 "${settings[@]}" "${@:3}"
}
