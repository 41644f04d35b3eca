#!/usr/bin/env bash
# A first look at a fleet on a fresh machine: installs, builds, starts NATS, five VMs and three gateways, prints curl lines.
set -euo pipefail
cd "$(dirname "$0")/.."
# Debian has nats-server where only root looks.
export PATH="$PATH:/usr/sbin"
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 nats-server=nats-server curl=curl
[ -d node_modules ] || npm ci
npm run --silent build
exec node scripts/demo-fleet.js "$@"
