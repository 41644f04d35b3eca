#!/usr/bin/env bash
# Rebuilds what is generated and committed: catalogs, openapi/, the client's types, and the generated pages
# and schemas of docs/.
#
#   scripts/generate.sh [TREES]      (or QAPI_TREES_DIR=TREES)
#
# TREES holds QEMU source trees (see generate-catalogs.mjs). Without it the compiled catalogs stay as committed.
set -euo pipefail
trees=${1:-${QAPI_TREES_DIR:-}}
[ -z "$trees" ] || trees=$(realpath -- "$trees")
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
npx --no-install tsc -b
env -u QAPI_TREES_DIR node scripts/generate-catalogs.mjs ${trees:+"$trees"}
exec node scripts/generate-documents.js
