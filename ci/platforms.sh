#!/usr/bin/env bash
# Brings up platforms on a Linux machine, runs the tests on each, and prints one line about each.
# Usage: ci/platforms.sh [--strict] [--markdown FILE] NAME...|all
#        ci/platforms.sh --list
#   --strict          a platform that cannot be had counts as one that failed
#   --markdown FILE   write the table to FILE too
# Exit code: 0 none failed; 1 a platform failed; 2 usage; 130 interrupted.
#
# What a platform needs is kept, for the next run, in MUXLOOP_PLATFORMS_DIR (.platforms in the repository root
# unless set), and so is what it said last: NAME.log. Delete the folder to begin from nothing.
#
# How a platform is made is known to ci/platforms/KIND.sh alone. It is called from the repository root, with
# MUXLOOP_PLATFORMS_DIR set to an absolute path that exists:
#   KIND.sh up NAME     makes the platform there; quick where an earlier call has made it
#   KIND.sh run NAME    runs the tests there, from a clean copy of the work tree (ci/platforms/copy_tree.sh)
# Both write what they like, to the log. The last line of `run` is
#   RESULT<TAB>interpreter<TAB>system<TAB>backends<TAB>tests<TAB>conformance
# as ci/platforms/trial.py prints it when the platform's own interpreter runs it; exit code 0 says that all is
# well, anything else that it is not. What cannot be had, in `up` or `run`, is told by exit code 77 and
#   SKIPPED<TAB>reason
# A kind ends what it started, and unmounts what it mounted, also when SIGTERM ends it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

names=(cpython3.14 cpython3.15 pypy3.11 i386 arm64 s390x kqueue-emulated wine3.11 wine3.12 wine3.13)

kind_of() {
    case $1 in
        cpython* | pypy* | i386) echo debian_folder ;;
        arm64 | s390x) echo emulated_cpu ;;
        kqueue-emulated) echo kqueue_emulated ;;
        wine*) echo wine ;;
    esac
}

refuse() {
    echo "ci/platforms.sh: $1" >&2
    exit 2
}

strict=no
markdown=
wanted=()
while [ $# -gt 0 ]; do
    case $1 in
        --list)
            printf '%s\n' "${names[@]}"
            exit
            ;;
        --strict) strict=yes ;;
        --markdown)
            markdown=${2:-}
            [ -n "$markdown" ] || refuse "--markdown: no file given; name one: --markdown platforms.md"
            shift
            ;;
        all) wanted+=("${names[@]}") ;;
        *)
            [[ " ${names[*]} " == *" $1 "* && $1 != *" "* ]] || refuse "$1: no such platform; there are: ${names[*]}"
            wanted+=("$1")
            ;;
    esac
    shift
done
[ ${#wanted[@]} -gt 0 ] || refuse "no platform named; there are: ${names[*]}; or all"

folder=${MUXLOOP_PLATFORMS_DIR:-.platforms}
mkdir -p "$folder"
MUXLOOP_PLATFORMS_DIR=$(cd "$folder" && pwd)
export MUXLOOP_PLATFORMS_DIR

running=
interrupted() {
    # A group of its own, which a Ctrl-C at the terminal does not reach: so it is ended here, and waited for.
    if [ -n "$running" ]; then
        kill -TERM -- "-$running" 2>/dev/null || true
        wait "$running" 2>/dev/null || true
    fi
    echo "ci/platforms.sh: interrupted" >&2
    exit 130
}
trap interrupted INT TERM

# Runs a command to its end, in the background: bash would hear of a signal only after a foreground command.
# Usage: in_group LOG COMMAND...
in_group() {
    set -m
    nice "${@:2}" </dev/null >>"$1" 2>&1 &
    running=$!
    set +m
    local code=0
    wait "$running" || code=$?
    running=
    return "$code"
}

# Appends the row of a platform to `rows`; fails when the platform did.
try_out() {
    local name=$1 log=$MUXLOOP_PLATFORMS_DIR/$1.log step last said code=0 began=$SECONDS
    echo "ci/platforms.sh: $name; what it says is in $log" >&2
    : >"$log"
    for step in up run; do
        if [ "$code" = 0 ]; then
            in_group "$log" "ci/platforms/$(kind_of "$name").sh" "$step" "$name" || code=$?
        fi
    done
    last=$(grep --text -E $'^(RESULT|SKIPPED)\t' "$log" | tail -n 1) || true
    case $code:$last in
        77:SKIPPED*)
            said="skipped: ${last#*$'\t'}"$'\t\t\t\t'
            if [ "$strict" = no ]; then code=0; fi
            ;;
        *:RESULT*) said=${last#*$'\t'} ;;
        *)
            said="failed: exit code $code and no result"$'\t\t\t\t'
            code=1
            ;;
    esac
    rows+=("$name"$'\t'"$said"$'\t'$((SECONDS - began)))
    if [ "$code" != 0 ]; then
        echo "ci/platforms.sh: $name failed; read $log" >&2
        return 1
    fi
}

rows=()
failed=no
for name in "${wanted[@]}"; do
    try_out "$name" || failed=yes
done

header=$'platform\tinterpreter\tsystem\tbackends\ttests\tconformance\tseconds'
printf '%s\n' "$header" "${rows[@]}" | sed 's/\t\t*/ | /g'
if [ -n "$markdown" ]; then
    printf '%s\n' "$header" $'---\t---\t---\t---\t---\t---\t---:' "${rows[@]}" |
        sed -e 's/|/\\|/g' -e 's/\t/ | /g' -e 's/.*/| & |/' >"$markdown"
fi
[ "$failed" = no ] || exit 1
