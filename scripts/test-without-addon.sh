#!/usr/bin/env bash
# Runs the tests of `npm test` as on a platform that the native addon was not built for. Passes arguments to vitest.
set -euo pipefail
export WITHOUT_ADDON=1
exec bash "$(dirname "$0")/test.sh" "$@"
