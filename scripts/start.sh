#!/usr/bin/env bash
# Builds if needed, then replaces itself with the gateway, because npm does not pass signals on.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
[ -d "$root/node_modules" ] || npm --prefix "$root" ci
npm --prefix "$root" run --silent build
cd "${INIT_CWD:-$PWD}"
exec node "$root/apps/gateway/bin/qmp-gateway.js" serve "$@"
