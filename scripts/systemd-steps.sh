# The steps of test-systemd.sh inside the machine. `install.sh`, `start.sh`, `dynamic-user.sh`, `dynamic-user.conf` and
# `host-paths.conf` are blocks of docs/systemd.md, `tap.sh` one of docs/file-descriptors.md.
step() { echo "systemd: $*"; }
fail() { echo "systemd: FAILED: $*" >&2; systemctl status --no-pager -l qmp-gateway >&2 || true; journalctl -u qmp-gateway --no-pager -n 20 >&2 || true; exit 1; }
# Until a command succeeds, for 40 s at most.
within() { local what=$1; shift; for _ in $(seq 200); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; fail "$what"; }
property() { systemctl show -p "$1" --value qmp-gateway; }
is() { [ "$(property "$1")" = "$2" ]; }
alive() { curl -sSf http://127.0.0.1:8080/livez; }
reloads() { journalctl -u qmp-gateway -o cat --no-pager | grep -c 'settings and the files they name read again'; }
get() { local path=$1; shift; curl -sSf -H "$AUTH" "$@" "$GW$path"; }
ready() { get "/v1/vms/$1?wait=30s" | grep -q '"state":"ready"'; }
has_reloads() { [ "$(reloads)" -ge "$1" ]; }

step 'the lines of the page: install, start, token, reload at once'
# The lock file of npm's cache needs no network: the tarball has all dependencies.
bash -euo pipefail install.sh
bash -euo pipefail start.sh | tee started
grep -q '^qmpgw_' started || fail 'no token right after the start'
alive >/dev/null || fail 'not alive right after the start'
within 'the reload at once' has_reloads 1
is ActiveState active || fail 'the reload ended it'
export AUTH="Authorization: Bearer $(cat /var/lib/qmp-gateway/root.token)" GW=http://127.0.0.1:8080

step 'reload of a gateway that is starting, four times; the process stays'
for n in 1 2 3 4; do
  systemctl restart --no-block qmp-gateway
  sleep 0.$((n * 2))
  systemctl kill --kill-who=main -s HUP qmp-gateway || true
  within "active after SIGHUP $n" is ActiveState active
  within "alive after SIGHUP $n" alive
done
before=$(property MainPID)
count=$(reloads)
systemctl reload qmp-gateway
within 'the reload later' has_reloads $((count + 1))
[ "$(property MainPID)" = "$before" ] || fail 'a reload made a new process'

step 'QEMU of another user, by the unit of docs/connecting.md'
useradd --system --no-create-home vms
install -D -m 0640 -g vms /dev/null /etc/vms/token
(printf 'Authorization: '; echo "Bearer $(cat /var/lib/qmp-gateway/root.token)") >/etc/vms/token
systemctl daemon-reload
systemctl start vm@web-1
get '/v1/events?vm=web-1&event=vm-changed&wait=30s&limit=1' >/dev/null
ready web-1 || fail 'the VM is not ready'
[ "$(stat -c '%U %G' /run/qemu/web-1.qmp)" = 'vms qmp-gateway' ] || fail "the socket: $(stat -c '%A %U %G' /run/qemu/web-1.qmp)"

step 'the console, and the words of qmpctl'
grep -q '<script type="module"' <<<"$(curl -sSf $GW/console)" || fail 'no console'
words() { QMPGW_URL=$GW QMPGW_TOKEN=${AUTH##* } /opt/qmp-gateway/node_modules/.bin/qmp-gateway "$@"; }
[ "$(words exec web-1 query-name | tr -d ' \n')" = '{"name":"web-1"}' ] || fail "exec: $(words exec web-1 query-name 2>&1)"

step 'an image and a tap that QEMU may not open, by their descriptors'
pass() { get /v1/vms/web-1/fds --json "$1"; }
install -d -m 0711 /var/lib/images
install -m 0600 -o qmp-gateway /dev/null /var/lib/images/data.raw
truncate -s 1M /var/lib/images/data.raw
echo 'hostPaths: [/var/lib/images/*, /dev/net/tun]' >>/etc/qmp-gateway.yaml
count=$(reloads)
systemctl reload qmp-gateway
within 'the reload with hostPaths' has_reloads $((count + 1))
pass '{"path":"/var/lib/images/data.raw","fdset":true}' >/dev/null || fail 'a file to read, by the unit as it is'
pass '{"path":"/var/lib/images/data.raw","flags":["read","write"],"fdset":true}' >passed 2>/dev/null && fail 'the unit as it is lets it write'
install -D -m 0644 host-paths.conf /etc/systemd/system/qmp-gateway.service.d/host-paths.conf
systemctl daemon-reload
systemctl restart qmp-gateway
ready web-1 || fail 'the VM is not ready after the restart'
pass '{"path":"/var/lib/images/data.raw","flags":["read","write"],"fdset":true}' >passed || fail 'a file to write, by the drop-in'
disk='{"driver":"raw","node-name":"data","file":{"driver":"file","filename":"'$(grep -o '/dev/fdset/[0-9]*' passed)'"}}'
get /v1/vms/web-1/qmp/blockdev-add --json "$disk" >/dev/null || fail "QEMU does not open $disk"
if bash -euo pipefail tap.sh; then
  pass '{"tap":"net0","name":"net"}' >/dev/null || fail 'a tap, by the drop-in'
  get /v1/vms/web-1/qmp/netdev_add --json '{"type":"tap","id":"n0","fd":"net"}' >/dev/null || fail 'QEMU does not take the tap'
else
  step 'this machine has no taps: not tried'
fi
get /v1/vms/web-1/qmp/blockdev-del --json '{"node-name":"data"}' >/dev/null

step 'stop under load: every request has its result or a problem, whole; status 0'
node asking-clients.mjs "$GW/v1/vms/web-1/qmp/query-status" 4 >load &
load=$!
curl -sSN -H "$AUTH" -H 'Accept: application/x-ndjson' "$GW/v1/events" >/dev/null &
stream=$!
sleep 2
began=$(date +%s)
systemctl stop qmp-gateway
took=$(($(date +%s) - began))
wait "$load" || fail "requests ended otherwise: $(paste -sd, load)"
wait "$stream" || fail "the stream of events was cut: status $?"
step "requests ended: $(paste -sd, load)"
is Result success || fail "stopped with $(property Result)"
[ "$took" -le 11 ] || fail "the stop took $took s"
systemctl is-active --quiet vm@web-1 || fail 'the VM ended with the gateway'

step 'crash: kill -9, and it is back with its VM'
systemctl start qmp-gateway
systemctl kill --kill-who=main -s KILL qmp-gateway
within 'a restart after the crash' is NRestarts 1
within 'alive after the crash' alive
ready web-1 || fail 'the VM is not ready after the crash'

step 'watchdog: a process that hangs is started again'
mkdir -p /run/systemd/system/qmp-gateway.service.d
printf '[Service]\nWatchdogSec=3\n' >/run/systemd/system/qmp-gateway.service.d/test.conf
systemctl daemon-reload
systemctl restart qmp-gateway
sleep 5
is NRestarts 0 || fail 'the watchdog ended a gateway that lives'
systemctl kill --kill-who=main -s STOP qmp-gateway
within 'a restart by the watchdog' is NRestarts 1
within 'alive after the watchdog' alive
rm -r /run/systemd/system/qmp-gateway.service.d
systemctl daemon-reload

step 'port in use, then free: it starts by itself'
systemctl stop qmp-gateway
node -e 'require("node:net").createServer().listen(8080, "127.0.0.1")' &
holder=$!
sleep 1
systemctl start --no-block qmp-gateway
within 'status 75' is ExecMainStatus 75
for _ in $(seq 100); do [ "$(property NRestarts)" -lt 6 ] || break; sleep 0.5; done
[ "$(property NRestarts)" -ge 6 ] || fail 'it has stopped trying'
kill "$holder"
within 'active when the port is free' is ActiveState active

step 'an address that comes later'
sed -i "s/'127.0.0.1:8080'/'127.0.0.1:8080', '192.0.2.7:8080'/" /etc/qmp-gateway.yaml
systemctl stop qmp-gateway
systemctl start --no-block qmp-gateway
within 'status 75 without the address' is ExecMainStatus 75
ip address add 192.0.2.7/32 dev lo
within 'active when the address is there' is ActiveState active

step 'wrong settings: status 2, no restart, each fault in the journal'
echo 'lisen: []' >>/etc/qmp-gateway.yaml
systemctl restart qmp-gateway 2>/dev/null && fail 'started with wrong settings'
sleep 5
is ActiveState failed || fail "with wrong settings it is $(property ActiveState)"
is ExecMainStatus 2 || fail "status $(property ExecMainStatus)"
journalctl -u qmp-gateway -o cat --no-pager | grep -q '^lisen: ' || fail 'no line for the fault'
sed -i '/^lisen/d' /etc/qmp-gateway.yaml
systemctl start qmp-gateway || fail 'does not start with the settings mended'

step "with the drop-in for images and taps: $(systemd-analyze security --no-pager qmp-gateway | grep 'Overall exposure' | sed 's/^[^O]*//')"
rm /etc/systemd/system/qmp-gateway.service.d/host-paths.conf
systemctl daemon-reload
step "$(systemd-analyze security --no-pager qmp-gateway | grep 'Overall exposure' | sed 's/^[^O]*//')"
systemd-analyze security --no-pager --threshold=20 qmp-gateway >/dev/null || fail 'an exposure of 2 or more'

step 'DynamicUser: the same state and VMs, as a user that nobody made'
systemctl stop vm@web-1 qmp-gateway
userdel qmp-gateway
rm -r /etc/sysusers.d/qmp-gateway.conf /etc/tmpfiles.d/qmp-gateway.conf /run/qemu
bash -euo pipefail dynamic-user.sh
drop_in=/etc/systemd/system/qmp-gateway.service.d/dynamic-user.conf
install -D -m 0644 dynamic-user.conf "$drop_in"
sed -i 's/^SupplementaryGroups=qmp-gateway$/SupplementaryGroups=qemu-monitors/' /etc/systemd/system/vm@.service
systemctl daemon-reload
systemctl start qmp-gateway vm@web-1
[ "$(stat -c %u "/proc/$(property MainPID)")" -ge 61184 ] || fail "the user is $(stat -c %U "/proc/$(property MainPID)")"
[ "$(readlink /var/lib/qmp-gateway)" = private/qmp-gateway ] || fail 'the state is not private'
[ "Authorization: Bearer $(cat /var/lib/qmp-gateway/root.token)" = "$AUTH" ] || fail 'another token'
within 'the VM with DynamicUser' ready web-1
count=$(reloads)
systemctl reload qmp-gateway
within 'the reload with DynamicUser' has_reloads $((count + 1))
node /opt/qmp-gateway/node_modules/qmp-gateway/bin/qmp-gateway.js token create --state /var/lib/qmp-gateway --level read >/dev/null
systemctl restart qmp-gateway
within 'the VM after a restart' ready web-1
systemctl stop vm@web-1
[ "$(systemctl show -p Result --value vm@web-1)" = success ] || fail 'the VM did not end through the gateway'
step "$(systemd-analyze security --no-pager qmp-gateway | grep 'Overall exposure' | sed 's/^[^O]*//')"

step 'and back to a user of its own'
systemctl stop qmp-gateway
rm "$drop_in"
bash -euo pipefail install.sh
systemctl daemon-reload
systemctl start qmp-gateway
[ "$(stat -c '%F %U' /var/lib/qmp-gateway)" = 'directory qmp-gateway' ] || fail "the state is $(stat -c '%F %U' /var/lib/qmp-gateway)"
get /v1/vms >/dev/null || fail 'the token after the way back'

step 'the backup of docs/upgrades.md: restored, it opens the gateway with the same token'
(cd /root && bash -euo pipefail /root/qmp-gateway/backup.sh)
systemctl stop qmp-gateway
rm -r /var/lib/qmp-gateway
tar -C /var/lib -xpzf /root/qmp-gateway-state.tgz
systemctl start qmp-gateway
get /v1/vms >/dev/null || fail 'the token of the backup'
echo 'systemd: all good'
