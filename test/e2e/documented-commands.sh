# Before the commands of a page: what makes them testable without a change to them. `gateway`, `compiler` (files), `base`
# (address of a gateway that runs already, or empty) come from outside; so do AUTH and GW where there is one.
set -eEuo pipefail
shown_address=127.0.0.1:8080
expected=
at=
trap 'echo "$at: failed" >&2' ERR
# What goes on in the background ends with the page; a daemon by the file it left.
background=()
trap 'for pid in "${background[@]}" $(jobs -p) $(cat ./*.pid 2>&-); do kill "$pid" 2>&- || true; done; wait' EXIT

# A failure of HTTP is a failure, unless it is the one announced; a stream is left after a moment.
curl() {
  local arguments=("${@//$shown_address/${base#*://}}") status=0 answer
  local failure=$expected
  expected=
  if [ -n "$failure" ]; then
    answer=$(command curl --max-time 30 -w '\n%{http_code}' "${arguments[@]}")
    echo "${answer%$'\n'*}"
    grep -q "\"code\":\"${failure#* }\"" <<<"$answer" && [ "${answer##*$'\n'}" = "${failure% *}" ]
  elif [[ " $* " =~ \ -[a-zA-Z]*N\  ]]; then
    command curl --fail-with-body --max-time 1 "${arguments[@]}" || status=$?
    [ "$status" -eq 28 ]
  else
    command curl --fail-with-body --max-time 60 "${arguments[@]}"
  fi
}

# `serve` goes on beside the commands after it, at any free port.
npx() {
  local program=$1
  shift
  case "$program ${1-}" in
    'qmp-gateway serve')
      local line
      exec {ready}< <(QMPGW_LISTEN=127.0.0.1:0 exec node "$gateway" "${@//$shown_address/127.0.0.1:0}")
      background+=($!)
      read -r -t 30 line <&"$ready"
      base=${line##* }
      ;;
    'qmp-gateway '*) node "$gateway" "$@" ;;
    'qapi-compiler '*) node "$compiler" "$@" ;;
    *) return 127 ;;
  esac
}
