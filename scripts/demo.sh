#!/usr/bin/env bash
# A first look on a fresh machine: installs, builds, starts two VMs and the gateway, prints curl lines.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 curl=curl
[ -d node_modules ] || npm ci
npm run --silent build
exec node scripts/demo.js "$@"
