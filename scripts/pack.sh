#!/usr/bin/env bash
# Packs what is published: a tarball each, below the directory given (default: here). The gateway's brings all of ours it needs.
set -euo pipefail
destination=$(realpath -- "${1:-${INIT_CWD:-.}}")
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
exec npm pack --pack-destination "$destination" --workspace qmp-gateway --workspace qapi-compiler \
  --workspace @qmp-gateway/catalog --workspace @qmp-gateway/client --workspace @qmp-gateway/qapi \
  --workspace @qmp-gateway/qapi-openapi --workspace @qmp-gateway/qmp
