#!/usr/bin/env bash
# Prints the benchmark tables: the cost of the gateway beside that of a bare forwarder, in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
npx --no-install tsc -b . test/bench
exec node test/bench/dist/main.js "$@"
