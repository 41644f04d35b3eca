#!/usr/bin/env bash
# npm run test:conformance -- DIR [TREES]
#
# Holds the QAPI compiler against a directory of small schemas with the verdict expected of each: DIR/cases.json, and
# DIR/NAME.out for the model of a valid one. TREES holds qemu-7.2.0 and qemu-10.2.2, QEMU's own schemas; without it the
# directory above DIR is taken where it has them. Neither is part of this repository.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# npm changes the directory; arguments are seen from where it was called.
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
