#!/usr/bin/env bash
# Floods, fuzz and soak: what takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 qemu-ga=qemu-guest-agent
npx --no-install tsc -b
exec npx --no-install vitest run --project long "$@"
