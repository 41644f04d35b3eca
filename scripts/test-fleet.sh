#!/usr/bin/env bash
# Runs the tests of fleets over a real NATS server: Debian's, or the one that NATS_SERVER names. FLEET_ROUNDS says how
# often what is left to chance is tried, FLEET_FREEZES how many servers stand still for a while.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 qemu-ga=qemu-guest-agent nats-server=nats-server curl=curl
npx --no-install tsc -b
exec npx --no-install vitest run --project fleet "$@"
