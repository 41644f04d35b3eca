#!/usr/bin/env bash
# Packs each published package as a tarball, into the given directory (default: the current one). The gateway's tarball contains the
# packages of this repository that it needs.
set -euo pipefail
destination=$(realpath -- "${1:-${INIT_CWD:-.}}")
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
exec npm pack --pack-destination "$destination" --workspace qmp-gateway --workspace qmp-gateway-cli --workspace qapi-compiler \
  --workspace @qmp-gateway/catalog --workspace @qmp-gateway/client --workspace @qmp-gateway/fleet-protocol \
  --workspace @qmp-gateway/qapi --workspace @qmp-gateway/qapi-openapi --workspace @qmp-gateway/qmp --workspace @qmp-gateway/unix-fds
