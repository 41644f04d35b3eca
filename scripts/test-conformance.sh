#!/usr/bin/env bash
# npm run test:conformance -- DIR [TREES]
#
# Runs the QAPI compiler on a directory of small schemas and compares its verdicts with the expected ones: DIR/cases.json, and
# DIR/NAME.out for the model of each valid schema. TREES has qemu-7.2.0 and qemu-10.2.2 with QEMU's own schemas; the default is
# the directory above DIR, if it has them. Neither is part of this repository.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# npm changes the directory; arguments are relative to the caller's.
cd "${INIT_CWD:-$PWD}"

directory=${1:-${QAPI_CONFORMANCE_DIR:-}}
trees=${2:-${QAPI_TREES_DIR:-}}
if [[ -z $directory ]]; then
  echo 'test:conformance: no directory given; usage: npm run test:conformance -- DIR [TREES]' >&2
  exit 2
fi
if [[ ! -f $directory/cases.json ]]; then
  echo "test:conformance: $directory is absent or has no cases.json" >&2
  exit 2
fi
directory=$(realpath "$directory")
if [[ -z $trees && -d $directory/../qemu-10.2.2 ]]; then
  trees=$directory/..
fi
export QAPI_CONFORMANCE_DIR=$directory
if [[ -n $trees ]]; then
  export QAPI_TREES_DIR=$(realpath "$trees")
else
  echo "test:conformance: no QEMU trees given, checking the cases alone" >&2
fi

cd "$root"
[[ -d node_modules ]] || npm ci
exec npx vitest run --project conformance
