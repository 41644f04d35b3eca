#!/usr/bin/env bash
# Public generators make clients of our documents, and these call a real QEMU. The tools come from the registries of npm, Python,
# Go, Rust and Maven, each pinned; the part of a toolchain or a registry that is not there says so and does not fail.
#
#   npm run test:generators -- -t 'cut document'      only of ten commands: some minutes
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 qemu-img=qemu-utils
npx --no-install tsc -b
exec npx --no-install vitest run --project generators "$@"
