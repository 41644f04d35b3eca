#!/usr/bin/env bash
# A first look at a fleet on a fresh machine: installs, builds, starts NATS, five VMs and three gateways, prints curl lines.
set -euo pipefail
cd "$(dirname "$0")/.."
# Debian has nats-server where only root looks.
export PATH="$PATH:/usr/sbin"
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 nats-server=nats-server curl=curl
if [ ! -d node_modules ]; then
  echo 'demo: fetching what it is built with; this can take some minutes'
  npm ci
fi
echo 'demo: building; the first time takes a minute or two'
npm run --silent build
exec node scripts/demo-fleet.js "$@"
