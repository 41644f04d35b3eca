#!/usr/bin/env bash
# Runs both commands of README.md, and what CONTRIBUTING.md begins with, in a fresh Debian 12 that has Node.js 20, npm and git and
# nothing else, and prints their times. Needs root; ends with status 3, and says why, where a fresh root cannot be made.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "test:fresh: FAILED: $*" >&2; exit 1; }
refused() { echo "test:fresh: not run: $*" >&2; exit 3; }
[ "$(id -u)" -eq 0 ] || refused 'only root can make a Debian root'
unshare --mount --pid --fork true 2>/dev/null || refused 'this machine refuses namespaces'
# Namespaces of its own: no mount and no process is left behind.
[ "${QMPGW_OWN_MOUNTS:-}" = 1 ] || QMPGW_OWN_MOUNTS=1 exec unshare --mount --propagation private --pid --fork --kill-child bash "$0" "$@"
root=$(bash scripts/debian-root.sh 20 git)
work=$(mktemp -d /var/tmp/qmpgw-fresh.XXXXXX)
end() {
  umount -l -R "$work/root" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap end EXIT
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" "$work/root" || refused 'cannot mount an overlay'
mount -t proc proc "$work/root/proc"
for device in null:3 zero:5 random:8 urandom:9; do
  rm -f "$work/root/dev/${device%:*}"
  mknod -m 0666 "$work/root/dev/${device%:*}" c 1 "${device#*:}"
done
cp -L /etc/resolv.conf /etc/hosts "$work/root/etc/"
git bundle create -q "$work/root/root/tree.bundle" HEAD
inside() {
  chroot "$work/root" env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt bash -euo pipefail -c "$1"
}
inside 'for clone in qmp-gateway second; do git clone -q /root/tree.bundle "/root/$clone" 2>/dev/null; done'
inside 'node --version; npm --version; git --version' | paste -sd' '
demo=$(node scripts/page-block.js README.md 'npm run demo')
build=$(node scripts/page-block.js README.md 'npm ci && npm run build')
mapfile -t begins < <(node scripts/page-block.js CONTRIBUTING.md 'npm run check' | sed 's/ *#.*//')
check=${begins[1]}
[ "${begins[0]}" = "$build" ] || fail 'CONTRIBUTING.md and README.md build by other commands'
serve=$(node scripts/page-block.js README.md 'npx qmp-gateway serve')

began=$SECONDS
inside "cd /root/qmp-gateway && $demo" >"$work/demo.log" 2>&1 &
demo_job=$!
until grep -q '^ *export ' "$work/demo.log"; do
  kill -0 "$demo_job" 2>/dev/null || { tail -20 "$work/demo.log" >&2; fail "$demo"; }
  [ $((SECONDS - began)) -lt 900 ] || { tail -20 "$work/demo.log" >&2; fail 'the demo takes longer than 15 minutes'; }
  sleep 0.5
done
echo "fresh: npm run demo: $((SECONDS - began)) s until its lines can be pasted"
line=$(grep -m1 '^ *export ' "$work/demo.log")
inside "$line; curl -sSf -H \"\$AUTH\" \$GW/v1/vms/demo-1/qmp/query-status" | grep -q '"running"' || fail 'a line of the demo'
began=$SECONDS
inside "cd /root/second && $build" >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; fail "$build"; }
built=$((SECONDS - began))
# The demo, which still runs, and other programs of this machine may use the usual port.
inside "cd /root/second && export QMPGW_LISTEN=127.0.0.1:0 && $serve" >"$work/serve.log" 2>&1 &
served=$!
until grep -q '^qmp-gateway listening on' "$work/serve.log"; do
  kill -0 "$served" 2>/dev/null || { tail -5 "$work/serve.log" >&2; fail "$serve"; }
  sleep 0.2
done
echo "fresh: $build and serve: $((SECONDS - began)) s until it listens"
began=$SECONDS
inside "cd /root/second && $check" >"$work/check.log" 2>&1 || { tail -20 "$work/check.log" >&2; fail "$check"; }
echo "fresh: $check: $((SECONDS - began)) s, $((SECONDS - began + built)) s with $build"
inside "$(node scripts/page-block.js docs/node.md 'npm install --prefix')" >"$work/node.log" 2>&1 || { tail -5 "$work/node.log" >&2; fail 'the lines of docs/node.md'; }
echo "fresh: docs/node.md: $(tail -1 "$work/node.log")"
echo 'fresh: all good'
