#!/usr/bin/env bash
# Runs the tests that take minutes: fleets over NATS, then floods, fuzzing, soak.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 qemu-ga=qemu-guest-agent \
  nats-server=nats-server curl=curl chromium=chromium python3=python3 gcc=gcc gencat=libc6-dev valgrind=valgrind
npm run --silent build
node libs/unix-fds/build.mjs --if-possible --if-needed
# Arguments choose among the others. Clusters of three servers, of which one ends after the other, are in test:fleet.
fleet=0
[ $# -gt 0 ] || npx --no-install vitest run --project fleet --exclude 'test/fleet/*fail-over.spec.ts' || fleet=$?
npx --no-install vitest run --project long "$@"
exit "$fleet"
