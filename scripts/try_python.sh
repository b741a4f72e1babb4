#!/bin/sh
# Installs the package from this checkout into a fresh environment of an interpreter, and runs its commands elsewhere:
#
#   sh scripts/try_python.sh python3.13
#
# What `requires-python` promises was tried by it. Needs the interpreter, its venv module, and a package index.
set -eu
python=${1:?usage: try_python.sh PYTHON}
checkout=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
# The build leaves nothing in the checkout, which may be read-only.
mkdir "$place/source"
for part in dlcot_ray conf examples pyproject.toml README.md LICENSE; do
    cp -r "$checkout/$part" "$place/source/"
done
"$python" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$place/source"
cp -r "$checkout/examples/shards" "$place/traces"
cd "$place"
export RAY_USAGE_STATS_ENABLED=0 PYTHONNOUSERSITE=1
dlcot="$place/venv/bin/dlcot"
"$dlcot" doctor
"$dlcot" enhance input=traces output=out workers=1
"$dlcot" verify out
"$dlcot" report out
"$dlcot" evaluate
echo "$("$place/venv/bin/python" --version): every command ran"
