# The steps of test-image.sh, in namespaces of its own, with a directory for its files as argument. The images `qmp-gateway` and
# `qmp-gateway-demo-vm` are there.
work=$1
image=localhost/qmp-gateway
vm_image=localhost/qmp-gateway-demo-vm
container=
step() { echo "image: $(($(date +%s) - QMPGW_BEGAN)) s: $*"; }
fail() { [ -z "$container" ] || podman logs --tail 20 "$container" >&2 || true; echo "test:image: FAILED: $*" >&2; exit 1; }
within() { local what=$1; shift; for _ in $(seq 150); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; fail "$what"; }
# What docs/container.md calls `docker`. Without systemd podman says that it has no timer for the health check: see `healthy`.
docker() { podman "$@" 2> >(grep -v 'systemd connection\|connect to syslog' >&2); }
# get PATH [ARGUMENTS OF curl]
get() { local path=$1; shift; curl -sSf --noproxy '*' -H "$auth" "$@" "$base_url$path"; }
alive() { get /livez "$@"; }
healthy() { podman healthcheck run "$container"; }
ready() { get "/v1/vms/$1?wait=30s" "${@:2}" | grep -q '"state":"ready"'; }
# Of a new container: when it is alive.
sign_in() { within 'alive' alive "$@"; auth="Authorization: Bearer $(podman exec "$container" cat /var/lib/qmp-gateway/root.token)"; }
status_of() { docker wait "$1"; }
auth='X-Nobody: yet'
ip link set lo up

step 'the demo of docker-compose.yml as it is, on another host port too'
podman system service --time 0 unix:///run/podman.sock 2>"$work/podman.log" &
within "podman as Docker's service" test -S /run/podman.sock
cat >"$work/more.yml" <<END
services:
  gateway: { image: $image, ports: ['127.0.0.1:18080:8080'] }
  demo-1: { image: $vm_image }
  demo-2: { image: $vm_image }
END
compose() { DOCKER_HOST=unix:///run/podman.sock docker-compose -p demo -f docker-compose.yml -f "$work/more.yml" "$@" >"$work/compose.log" 2>&1 || fail "docker-compose $1: $(tail -3 "$work/compose.log")"; }
compose up -d --no-build
container=$(podman ps -q --filter label=com.docker.compose.service=gateway)
base_url=http://127.0.0.1:18080
sign_in
within 'health' healthy
curl -sSf --noproxy '*' http://127.0.0.1:8080/livez >/dev/null || fail 'the port of docker-compose.yml'
for vm in demo-1 demo-2; do within "$vm ready" ready "$vm"; done

step 'fan-out, a stream, exec'
answers=$(get '/v1/qmp/query-status?vm=demo-*' -X POST)
grep -q '"end":true' <<<"$answers" || fail "the fan-out has no end: $answers"
[ "$(grep -c '"status":200' <<<"$answers")" = 2 ] || fail "fan-out: $answers"
get /v1/events -N -H 'Accept: text/event-stream' >"$work/stream" &
stream=$!
within 'the stream is open' test -s "$work/stream"
get /v1/vms/demo-1/qmp/stop -X POST >/dev/null
within 'an event in the stream' grep -q '"event":"STOP"' "$work/stream"
version=$(node -p 'require("./apps/gateway/package.json").version')
[ "$(podman exec "$container" qmp-gateway version)" = "$version" ] || fail 'exec of qmp-gateway'
grep -q '^qmpgw_' <<<"$(podman exec "$container" qmp-gateway token create --level read)" || fail 'a token by exec'

step 'the console, and the words of qmpctl'
page=$(get /console)
scripts=$(grep -o 'files/[^"]*\.\(js\|css\)' <<<"$page")
[ "$(wc -l <<<"$scripts")" -gt 3 ] || fail "the page of the console: $page"
for script in $scripts; do get "/console/$script" --compressed -o "$work/script" && test -s "$work/script" || fail "no $script"; done
link=$(podman exec "$container" qmp-gateway console)
code=${link##*#code=}
curl -sSf --noproxy '*' -X POST -H "Authorization: Bearer $code" "$base_url/v1/session/token" >"$work/session" || fail "the code of $link"
words() { podman exec -e QMPGW_URL=http://127.0.0.1:8080 -e QMPGW_TOKEN="${auth##* }" "$container" qmp-gateway "$@"; }
[ "$(words vms -o name | paste -sd' ')" = 'demo-1 demo-2' ] || fail "vms: $(words vms 2>&1)"
grep -q '^demo-2 *done' <<<"$(words exec 'demo-*' cont)" || fail "exec: $(words exec 'demo-*' cont 2>&1)"

step 'SIGTERM: status 0; kill -9: the same token and VMs over the same volume'
docker stop -t 15 "$container" >/dev/null
wait "$stream" || true
[ "$(status_of "$container")" = 0 ] || fail "SIGTERM: status $(status_of "$container")"
docker start "$container" >/dev/null
within 'alive again' alive
podman kill -s KILL "$container" >/dev/null
podman wait "$container" >/dev/null 2>&1 || true
docker start "$container" >/dev/null
within 'alive after kill -9' alive
within 'the VM after kill -9' ready demo-1
compose exec -T gateway cat /var/lib/qmp-gateway/root.token
grep -qx "${auth##* }" "$work/compose.log" || fail 'the token by docker-compose exec'
compose down -v

step 'SIGTERM before it listens, as soon as there is a handler: status 0'
# Bit 0 of the mask of the signals that a process catches is SIGHUP, whose handler comes right after that of SIGTERM.
has_handlers() { [ $((0x$(awk '/^SigCgt/ { print $2 }' "/proc/$(podman inspect --format '{{.State.Pid}}' "$1")/status") & 1)) = 1 ]; }
container=early
for _ in 1 2 3; do
  docker run -d --name early --network none "$image" >/dev/null
  within 'a handler of SIGTERM' has_handlers early
  docker stop -t 15 early >/dev/null
  [ "$(status_of early)" = 0 ] || fail "SIGTERM at the start: status $(status_of early)"
  docker rm early >/dev/null
done

docker run -d --init --name early --network none "$image" >/dev/null
docker stop -t 15 early >/dev/null
case $(status_of early) in 0 | 143) ;; *) fail "SIGTERM with --init: status $(status_of early)" ;; esac

step 'the lines of docs/container.md: bind mount, read-only root, no capability'
install -d -m 0755 -o 1000 -g 1000 /run/qemu
new_vm() { docker run -d --name vm --network none -v /run/qemu:/run/qemu "$@" >/dev/null; }
new_vm "$vm_image" bound
container=qmp-gateway
base_url=http://127.0.0.1:8080
node scripts/page-block.js docs/container.md 'docker build' | sed '1{/^docker build /d}' >"$work/page.sh"
export -f docker
timeout 60 bash -euo pipefail "$work/page.sh" >"$work/page.out" || fail "the lines of the page: $(cat "$work/page.out")"
[ "$(grep -c '^qmpgw_' "$work/page.out")" = 2 ] && grep -q '^http://127.0.0.1:8080/console#code=' "$work/page.out" &&
  grep -q '^VM  *STATE' "$work/page.out" || fail "the lines of the page print $(cat "$work/page.out")"
sign_in
within 'health' healthy
within 'the VM of the bind mount' ready bound
docker rm -f vm >/dev/null
new_vm "$vm_image" bound
get '/v1/events?vm=bound&event=vm-changed&wait=30s&limit=1' >/dev/null
within 'the VM after its restart' ready bound

step 'names of the host; another container over the same state'
refusal() { curl -s --noproxy '*' -o /dev/null -w '%{http_code}' -H "$auth" -H "Host: $1" "$base_url/v1/vms"; }
[ "$(refusal gw.example.org)" = 403 ] || fail 'a name that is not allowed'
[ "$(refusal localhost:18080)" = 200 ] || fail 'localhost with another port'
docker rm -f -t 15 "$container" vm >/dev/null
# The sockets of a QEMU of another user, in a directory of a group as packaging/systemd makes it.
rm -rf /run/qemu
install -d -m 2771 -g 977 /run/qemu
new_vm --user 2000:2000 --group-add 977 --umask 0007 "$vm_image" grouped
run() { docker run -d --name "$container" --read-only --cap-drop all --security-opt no-new-privileges -v /run/qemu:/run/qemu "$@" 2>/dev/null >/dev/null; }
run -p 127.0.0.1:8080:8080 -v qmp-gateway:/var/lib/qmp-gateway --group-add 977 -e QMPGW_ALLOWED_HOSTS=gw.example.org "$image" serve --discover '/run/qemu/{id}.qmp'
within 'the token of the state' get /v1/vms
within 'the VM of another group' ready grouped
[ "$(refusal gw.example.org)" = 200 ] || fail 'a name of QMPGW_ALLOWED_HOSTS'
docker rm -f -t 15 "$container" >/dev/null

step 'a directory of the host as state: of root, then of user 1000'
mkdir -m 0700 "$work/state"
run -v "$work/state:/var/lib/qmp-gateway" "$image"
[ "$(status_of "$container")" = 75 ] || fail "status $(status_of "$container")"
grep -q '^state: .*permission denied' <<<"$(podman logs "$container" 2>&1)" || fail 'what it says of the directory'
docker rm "$container" >/dev/null
chown 1000:1000 "$work/state"

step 'TLS and another address by the environment, the name of the certificate'
mkdir -m 0755 "$work/tls"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=gw.example.org -addext 'subjectAltName=DNS:gw.example.org' \
  -keyout "$work/tls/key.pem" -out "$work/tls/cert.pem" 2>/dev/null
chown 1000:1000 "$work/tls/key.pem"
base_url=https://gw.example.org:8443
tls=(--cacert "$work/tls/cert.pem" --resolve gw.example.org:8443:127.0.0.1)
run -p 127.0.0.1:8443:8443 -v "$work/state:/var/lib/qmp-gateway" -v "$work/tls:/tls:ro" --group-add 977 \
  -e QMPGW_LISTEN=0.0.0.0:8443 -e QMPGW_TLS_CERT=/tls/cert.pem -e QMPGW_TLS_KEY=/tls/key.pem "$image" serve --discover '/run/qemu/{id}.qmp'
sign_in "${tls[@]}"
within 'health with TLS' healthy
within 'a VM with TLS' ready grouped "${tls[@]}"
step 'health of a gateway that hangs'
podman kill -s STOP "$container" >/dev/null
healthy >/dev/null 2>&1 && fail 'a gateway that hangs is healthy'
podman kill -s CONT "$container" >/dev/null
within 'health again' healthy
docker rm -f -t 15 "$container" >/dev/null

step 'settings by a file; a program by a guest agent'
printf "listen: ['0.0.0.0:9090']\ndiscover: [{ qmp: '/run/qemu/{id}.qmp', agent: '/run/qemu/{id}.qga' }]\n" >"$work/qmp-gateway.yaml"
(umask 0007 && exec qemu-ga -m unix-listen -p /run/qemu/grouped.qga -t "$work") 2>/dev/null &
agent=$!
base_url=http://127.0.0.1:9090
run -p 127.0.0.1:9090:9090 -v "$work/state:/var/lib/qmp-gateway" -v "$work/qmp-gateway.yaml:/etc/qmp-gateway/qmp-gateway.yaml:ro" \
  --group-add 977 -e QMPGW_LISTEN= "$image"
sign_in
within 'health of the address of the file' healthy
within 'a VM of the file' ready grouped
exec_in_guest() { get /v1/vms/grouped/agent/exec --json '{"path": "/bin/echo", "arg": ["here"]}' >"$work/exec"; }
within 'a program by the agent' exec_in_guest
grep -q '"text":"here' "$work/exec" && grep -q '"exitCode":0' "$work/exec" || fail "the program: $(cat "$work/exec")"
kill "$agent"
docker rm -f -t 15 "$container" >/dev/null

step 'a file that QEMU does not see and may not open, by its descriptor'
install -d -m 0700 -o 1000 -g 1000 "$work/images"
install -m 0600 -o 1000 -g 1000 /dev/null "$work/images/data.raw"
truncate -s 1M "$work/images/data.raw"
echo 'hostPaths: [/images/*.raw]' >>"$work/qmp-gateway.yaml"
run -p 127.0.0.1:9090:9090 -v "$work/state:/var/lib/qmp-gateway" -v "$work/qmp-gateway.yaml:/etc/qmp-gateway/qmp-gateway.yaml:ro" \
  -v "$work/images:/images" --group-add 977 -e QMPGW_LISTEN= "$image"
sign_in
within 'the VM that gets it' ready grouped
get /v1/vms/grouped/fds --json '{"path":"/images/data.raw","flags":["read","write"],"fdset":true}' >"$work/fds" ||
  fail "no descriptor: $(curl -s --noproxy '*' -H "$auth" --json '{"path":"/images/data.raw","fdset":true}' "$base_url/v1/vms/grouped/fds")"
set_path=$(grep -o '/dev/fdset/[0-9]*' "$work/fds")
get /v1/vms/grouped/qmp/blockdev-add --json '{"driver":"raw","node-name":"data","file":{"driver":"file","filename":"'"$set_path"'"}}' >/dev/null ||
  fail "QEMU does not open $set_path"
grep -q '"node-name": *"data"' <<<"$(get /v1/vms/grouped/qmp/query-named-block-nodes)" || fail 'no node of the file'
docker rm -f -t 15 "$container" vm >/dev/null

step 'a picture of a screen, in a directory that has the same path for both'
install -d -m 0700 -o 1000 -g 1000 "$work/pictures"
echo 'pictures: { dir: /run/pictures }' >>"$work/qmp-gateway.yaml"
new_vm -v "$work/pictures:/run/pictures" --group-add 977 --entrypoint qemu-system-x86_64 "$vm_image" \
  -nodefaults -display none -accel tcg -m 64 -vga std -qmp unix:/run/qemu/screen.qmp,server=on,wait=off
run -p 127.0.0.1:9090:9090 -v "$work/state:/var/lib/qmp-gateway" -v "$work/qmp-gateway.yaml:/etc/qmp-gateway/qmp-gateway.yaml:ro" \
  -v "$work/pictures:/run/pictures" --group-add 977 -e QMPGW_LISTEN= "$image"
sign_in
within 'the VM with a screen' ready screen
get /v1/vms/screen/screen.png >"$work/screen.png" || fail "no picture: $(podman logs --tail 3 vm 2>&1)"
head -c 8 "$work/screen.png" | grep -aq PNG || fail 'what is no picture'
docker rm -f -t 15 "$container" vm >/dev/null

step 'the pod of examples/kubernetes, without a cluster: settings, state and sockets as volumes, its user and limits'
rm -rf /run/qemu
install -d -m 0755 -o 1000 -g 1000 /run/qemu
new_vm "$vm_image" in-a-pod
node scripts/pod-of-stateful-set.js examples/kubernetes/qmp-gateway.yaml "$image" >"$work/pod.yaml"
docker play kube --network podman "$work/pod.yaml" >"$work/pod.log" 2>&1 || fail "the pod: $(tail -3 "$work/pod.log")"
container=qmp-gateway-0-gateway
# As the kubelet, by the address of the pod.
base_url=http://$(podman inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(podman pod inspect --format '{{.InfraContainerID}}' qmp-gateway-0)"):8080
sign_in
within 'its readiness probe' get /readyz
within 'a VM by its settings' ready in-a-pod
docker exec "$container" touch /new 2>/dev/null && fail 'its root can be written'
[ "$(refusal qmp-gateway.default.svc)" = 200 ] || fail 'the name of the Service'
echo 'image: all good'
