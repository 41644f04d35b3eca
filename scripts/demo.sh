#!/usr/bin/env bash
# A first look on a fresh machine: installs, builds, starts two VMs and the gateway, prints curl lines.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 curl=curl
if [ ! -d node_modules ]; then
  echo 'demo: fetching what it is built with; this can take some minutes'
  npm ci
fi
echo 'demo: building; the first time takes a minute or two'
npm run --silent build
exec node scripts/demo.js "$@"
