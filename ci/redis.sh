#!/usr/bin/env bash
# Sees to it that redis-server is installed, as root on Debian and its kin, and says in one line how that went.
# Where it cannot be had it succeeds all the same: the tests that need it are skipped there.
# Usage: ci/redis.sh
set -euo pipefail

say() {
    echo "ci/redis.sh: $1" >&2
    exit 0
}

install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends redis-server; }

if command -v redis-server >/dev/null; then say "redis-server is installed"; fi
if ! command -v apt-get >/dev/null; then say "no redis-server, and no apt-get to install it with"; fi
if [ "$(id -u)" != 0 ]; then say "no redis-server; as root: apt-get install redis-server"; fi
# What a machine knows of its packages may be too old to install by, or be missing.
if ! said=$({ install || { apt-get update -qq && install; }; } </dev/null 2>&1); then
    say "no redis-server, and apt-get cannot install it: $(tail -n 1 <<<"$said")"
fi
say "redis-server was installed by apt-get"
