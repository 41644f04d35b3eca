#!/usr/bin/env bash
# The list of the console with ten thousand VMs, in Chromium. It measures, so the machine should do nothing else meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
bash scripts/install-debian.sh chromium=chromium
npm run --silent build
exec npx --no-install vitest run --project console-size "$@"
