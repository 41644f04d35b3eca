#!/usr/bin/env bash
# Follows docs/systemd.md word for word in a Debian 12 that is booted for it, with the tarball of this tree. Needs root, and
# `systemd-nspawn`; ends with status 3, and says why, where a machine cannot be booted.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "test:systemd: FAILED: $*" >&2; exit 1; }
refused() { echo "test:systemd: not run: $*" >&2; exit 3; }
[ "$(id -u)" -eq 0 ] || refused 'only root can boot a machine'
unshare --mount true 2>/dev/null || refused 'this machine refuses namespaces'
# A mount namespace of its own: whatever happens, no mount is left behind.
[ "${QMPGW_OWN_MOUNTS:-}" = 1 ] || QMPGW_OWN_MOUNTS=1 exec unshare --mount --propagation private bash "$0" "$@"
bash scripts/install-debian.sh systemd-nspawn=systemd-container nsenter=util-linux
[ -d node_modules ] || npm ci
root=$(bash scripts/debian-root.sh 22 systemd systemd-sysv dbus curl procps libnss-systemd iproute2 qemu-system-x86)
work=$(mktemp -d /var/tmp/qmpgw-systemd.XXXXXX)
machine=
end() {
  [ -z "$machine" ] || { kill -KILL "$leader" "$machine" 2>/dev/null; wait "$machine" 2>/dev/null; } || true
  umount "$work/root" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap end EXIT
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" "$work/root" || refused 'cannot mount an overlay'
here=$work/root/root/qmp-gateway
mkdir -p "$here"
npm run --silent pack -- "$here" >"$work/pack.log" 2>&1 || { tail -5 "$work/pack.log" >&2; fail 'cannot pack'; }
cp -r packaging "$here/"
ln -sf /usr/local/bin/node "$work/root/usr/bin/node"
node scripts/page-block.js docs/systemd.md 'npm install' >"$here/install.sh"
node scripts/page-block.js docs/systemd.md 'listen:' >"$work/root/etc/qmp-gateway.yaml"
node scripts/page-block.js docs/systemd.md 'systemctl enable' >"$here/start.sh"
node scripts/page-block.js docs/systemd.md 'groupadd' >"$here/dynamic-user.sh"
node scripts/page-block.js docs/systemd.md 'DynamicUser=yes' >"$here/dynamic-user.conf"
node scripts/page-block.js docs/systemd.md 'ReadWritePaths=' >"$here/host-paths.conf"
node scripts/page-block.js docs/file-descriptors.md 'ip tuntap' >"$here/tap.sh"
node scripts/page-block.js docs/upgrades.md 'tar -C' >"$here/backup.sh"
node scripts/page-block.js docs/connecting.md 'Description=VM %i' >"$work/root/etc/systemd/system/vm@.service"
cp scripts/systemd-steps.sh "$here/steps.sh"
cp scripts/asking-clients.mjs "$here/"

# An nspawn that is not registered needs no systemd on this machine.
systemd-nspawn --quiet --register=no --keep-unit -D "$work/root" -M qmpgw-test --private-network --console=pipe -b \
  systemd.unit=multi-user.target </dev/null >"$work/console.log" 2>&1 &
machine=$!
leader=
for _ in $(seq 100); do
  leader=$(pgrep -P "$machine" -x systemd || true)
  [ -z "$leader" ] || break
  kill -0 "$machine" 2>/dev/null || break
  sleep 0.1
done
[ -n "$leader" ] || { cat "$work/console.log" >&2; refused 'systemd-nspawn cannot boot a machine here: see above'; }
in_machine() {
  nsenter --target "$leader" --all env -i -C /root/qmp-gateway HOME=/root LC_ALL=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
for _ in $(seq 300); do
  state=$(in_machine systemctl is-system-running 2>/dev/null || true)
  case $state in running | degraded) break ;; esac
  sleep 0.2
done
case $state in running | degraded) ;; *) tail -5 "$work/console.log" >&2; fail "the machine does not come up: ${state:-no answer}" ;; esac
in_machine bash -euo pipefail steps.sh
