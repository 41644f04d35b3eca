#!/usr/bin/env bash
# Minutes of everything at once: npm run soak -- [--minutes N] (default 10). SEED=… in the environment repeats a run.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=10
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) minutes=${2:?} && shift 2 ;;
    --minutes=*) minutes=${1#*=} && shift ;;
    *) echo "soak: unknown argument: $1" >&2 && exit 2 ;;
  esac
done
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ ]] || { echo "soak: --minutes takes a number" >&2 && exit 2; }
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh qemu-system-x86_64=qemu-system-x86 qemu-ga=qemu-guest-agent
npx --no-install tsc -b
SOAK_MINUTES=$minutes exec npx --no-install vitest run --project long test/long/soak
