#!/usr/bin/env bash
# Builds if needed, then becomes the gateway (npm passes no signals on, so nothing may stand between).
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
[ -d "$root/node_modules" ] || npm --prefix "$root" ci
(cd "$root" && npx --no-install tsc -b)
cd "${INIT_CWD:-$PWD}"
exec node "$root/apps/gateway/bin/qmp-gateway.js" serve "$@"
