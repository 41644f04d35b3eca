#!/usr/bin/env bash
# Fails when a generated file is not what its generator makes now.
set -euo pipefail
cd "$(dirname "$0")/.."
exec node scripts/generate-documents.js --check
