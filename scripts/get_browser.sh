#!/bin/sh
# Finds a Chromium for tests/browser, or installs Debian's where this user may. Prints which one it is.
#
# DLCOT_BROWSER  the path of a Chromium or Chrome that lies elsewhere
set -eu
for name in "${DLCOT_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable chrome; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then
        echo "browser: $(command -v "$name")"
        exit 0
    fi
done
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "There is no Chromium. Install one, or set DLCOT_BROWSER to its path." >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
echo "browser: $(command -v chromium)"
