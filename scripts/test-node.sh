#!/usr/bin/env bash
# Builds and tests with other releases of Node.js: npm run test:node -- 24
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 qemu-ga=qemu-guest-agent curl=curl
exec node scripts/test-node.js "$@"
