#!/bin/sh
# Installs one build of everything into the environment of INSTALL: `install.sh cpu` or `install.sh cuda`.
# Makefile and Dockerfile both call it, so that what an image is made by is what every test run has used.
#
#   cpu   requirements.lock as it stands, which leaves out what vLLM's CPU build names but does not use
#   cuda  requirements-cuda.lock, made by scripts/lock_cuda.py
#
# Both by their twins with hashes, made by scripts/lock_hashes.py: a file that is not the locked one is refused.
# Only the CPU build of torch has no hash, because each index has a wheel of its own.
#
# INSTALL      the installer, e.g. "uv pip install" (default: pip of the python on PATH)
# TORCH_INDEX  where the CPU build of torch is, unless the package index in use has it
set -eu
cd "$(dirname "$0")/.."
INSTALL=${INSTALL:-python -m pip install --quiet --disable-pip-version-check}
TORCH_INDEX=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

case "${1:-}" in
cpu)
    torch=$(grep '^torch==' requirements.lock)
    $INSTALL --no-deps "$torch" 2>/dev/null || $INSTALL --no-deps --index-url "$TORCH_INDEX" "$torch"
    $INSTALL --no-deps --require-hashes -r requirements.hashes.lock
    ;;
cuda)
    $INSTALL --no-deps --require-hashes -r requirements-cuda.hashes.lock
    ;;
*)
    echo "usage: install.sh cpu|cuda" >&2
    exit 2
    ;;
esac
