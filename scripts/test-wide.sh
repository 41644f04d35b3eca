#!/usr/bin/env bash
# What does not fit in CI: every Node.js, the image, the unit, a fresh machine, a release, clients that public generators
# make, ten thousand VMs in the console. Prints a table at the end. A part that cannot run here ends with status 3, and its last line says why.
set -uo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
logs=$(mktemp -d)
rows=()
failed=0

# part NAME SCRIPT [ARGUMENTS]
part() {
  local name=$1 script=$2 log began=$SECONDS status outcome
  shift 2
  log="$logs/$name.log"
  if [ "$(npm pkg get "scripts.$script" | tr -d '"')" = '{}' ]; then
    rows+=("$name|not there||there is no npm script $script")
    return
  fi
  echo "== $name: npm run $script $*"
  npm run --silent "$script" -- "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  case $status in
    0) outcome=passed ;;
    3) outcome='not run' ;;
    *) outcome=failed failed=1 ;;
  esac
  rows+=("$name|$outcome|$((SECONDS - began)) s|$(grep -v '^ *$' "$log" | tail -1 | sed 's/\x1b\[[0-9;]*m//g')")
}

for release in 20.19 22 24 26; do part "node-$release" test:node "$release"; done
part image test:image
part systemd test:systemd
part fresh-machine test:fresh
part release test:release
part generators test:generators
part fleet test:fleet
part console-size test:console-size

echo
printf '%-14s %-10s %-8s %s\n' part outcome time 'last line'
for row in "${rows[@]}"; do
  IFS='|' read -r name outcome time last <<<"$row"
  printf '%-14s %-10s %-8s %s\n' "$name" "$outcome" "$time" "$last"
done
echo "logs: $logs"
exit $failed
