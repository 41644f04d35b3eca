#!/usr/bin/env bash
# Fails if a generated file differs from what its generator would write.
set -euo pipefail
cd "$(dirname "$0")/.."
exec node scripts/generate-documents.js --check
