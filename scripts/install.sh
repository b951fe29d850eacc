#!/bin/sh
# Installs what is missing on Debian: `scripts/install.sh build` for building and the demo,
# `scripts/install.sh test` for every part the tests run against.
set -eu

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# package:program pairs; the program tells whether the package is there.
build="gcc:cc libc6-dev:/usr/include/stdio.h cmake:cmake make:make"
test="$build postgresql:/usr/lib/postgresql nginx-light:/usr/sbin/nginx chromium:/usr/bin/chromium
chromium-driver:/usr/bin/chromedriver curl:curl npm:npm openssl:openssl python3:python3 python3-venv:python3
dovecot-imapd:/usr/sbin/dovecot dovecot-submissiond:/usr/lib/dovecot/submission"

present() {
    case "$1" in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

case "${1:-build}" in
build) wanted=$build ;;
test) wanted=$test ;;
*) echo "usage: $0 build|test" >&2; exit 2 ;;
esac

missing=
for pair in $wanted; do
    present "${pair#*:}" || missing="$missing ${pair%%:*}"
done

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Please install:$missing" >&2
        exit 1
    fi
    echo "Installing:$missing"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

if ! command -v cargo >/dev/null 2>&1; then
    echo "A Rust toolchain is needed: https://rustup.rs" >&2
    exit 1
fi
