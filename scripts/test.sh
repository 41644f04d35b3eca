#!/usr/bin/env bash
# Sets up what the tests need, then runs them all. Arguments go to vitest, e.g. `npm test -- libs/qmp`.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 qemu-img=qemu-utils qemu-storage-daemon=qemu-system-common \
  qemu-ga=qemu-guest-agent chromium=chromium curl=curl jq=jq busybox=busybox-static python3=python3 \
  openssl=openssl systemd-analyze=systemd
# Without it the tests that boot a guest say what is missing; the others need none.
bash scripts/guest-kernel.sh >/dev/null || echo 'test: no kernel for the guest' >&2
npx --no-install tsc -b
exec npx --no-install vitest run --project unit --project e2e "$@"
