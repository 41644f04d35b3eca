#!/usr/bin/env bash
# What CI runs before the tests: formatting, lint, types, the dependency rule, what nothing
# uses, generated files.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
npx --no-install prettier --check --log-level warn .
npx --no-install tsc -b
npx --no-install tsc -p tsconfig.lint.json
npx --no-install eslint --max-warnings 0 .
npx --no-install knip --no-progress
bash scripts/check-generated.sh
echo "check: all good"
