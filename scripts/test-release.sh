#!/usr/bin/env bash
# A release without publishing: versions, changelog, tarballs, installs, an upgrade.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
npm run --silent build
exec node scripts/test-release.js "$@"
