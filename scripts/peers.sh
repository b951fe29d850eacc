#!/bin/sh
# Installs the independent identity providers and the accessibility checker of the tests, outside the repository's files.
set -eu
home="${MINTGATE_PEERS:-${CARGO_TARGET_DIR:-target}/peers}"
wanted="emulate@0.8.0 oidc-provider@9.13.3 axe-core@4.14.1 node@20"
mkdir -p "$home"
if [ "$(cat "$home/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing test peers: $wanted"
    npm install --prefix "$home" --no-save --no-audit --no-fund --silent $wanted
    echo "$wanted" >"$home/installed"
fi
