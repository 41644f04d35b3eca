#!/usr/bin/env bash
# Builds at each change of a source and restarts the gateway with what was built. Arguments are those of `serve`:
#
#   npm run dev -- --vm web-1=unix:/run/qemu/web-1.qmp
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
[ -d "$root/node_modules" ] || npm --prefix "$root" ci
(cd "$root" && npx --no-install tsc -b)
node "$root/node_modules/typescript/bin/tsc" -b "$root" --watch --preserveWatchOutput &
compiler=$!
trap 'kill "$compiler" 2>/dev/null || true' EXIT
cd "${INIT_CWD:-$PWD}"
# Node ends the gateway as SIGTERM does, so that VMs see an orderly end each time.
node --watch --watch-preserve-output "$root/apps/gateway/bin/qmp-gateway.js" serve "$@"
