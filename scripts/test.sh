#!/usr/bin/env bash
# Installs what the tests need, then runs all of them. Passes arguments to vitest, e.g. `npm test -- libs/qmp`.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 qemu-img=qemu-utils qemu-storage-daemon=qemu-system-common \
  qemu-ga=qemu-guest-agent chromium=chromium curl=curl jq=jq busybox=busybox-static python3=python3 \
  openssl=openssl systemd-analyze=systemd nats-server=nats-server tmux=tmux gcc=gcc gencat=libc6-dev
# Servers, which start where they are installed: only for root, as in CI. A test names those that are missing.
[ "$(id -u)" -ne 0 ] || bash scripts/install-debian.sh nginx=nginx haproxy=haproxy caddy=caddy ||
  echo 'test: no proxies to stand before a gateway' >&2
# Without it the tests that boot a guest report that it is missing; the others do not need it.
bash scripts/guest-kernel.sh >/dev/null || echo 'test: no kernel for the guest' >&2
npm run --silent build
# Tests of file descriptors need it; they say so where there is no compiler, or no headers of Node.js.
node libs/unix-fds/build.mjs --if-possible --if-needed
exec npx --no-install vitest run --project unit --project e2e "$@"
