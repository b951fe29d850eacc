#!/bin/sh
# Installs the independent identity providers and the API checker that the tests run against, outside the repository's files.
set -eu
home="${MINTGATE_PEERS:-${CARGO_TARGET_DIR:-target}/peers}"
wanted="emulate@0.8.0 oidc-provider@9.13.3 node@20"
mkdir -p "$home"
if [ "$(cat "$home/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing test peers: $wanted"
    npm install --prefix "$home" --no-save --no-audit --no-fund --silent $wanted
    echo "$wanted" >"$home/installed"
fi

# Holds the API's document against the running program. Without Python that one test is skipped.
schemathesis="schemathesis==4.32.5"
if [ "$(cat "$home/python/installed" 2>/dev/null)" != "$schemathesis" ]; then
    echo "Installing a test peer: $schemathesis"
    if python3 -m venv "$home/python" && "$home/python/bin/pip" install --quiet --disable-pip-version-check "$schemathesis"; then
        echo "$schemathesis" >"$home/python/installed"
    else
        echo "$schemathesis is not installed: Python's venv or the package index cannot be used" >&2
    fi
fi
