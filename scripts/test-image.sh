#!/usr/bin/env bash
# Builds the images of Dockerfile and docker-compose.yml with podman, and follows docs/container.md with them: see image-steps.sh.
# Needs root; ends with status 3 where containers cannot run. Where no registry can be reached, Debian 12 with the npm package of
# Node.js stands in for the base images.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "test:image: FAILED: $*" >&2; exit 1; }
refused() { echo "test:image: not run: $*" >&2; exit 3; }
export QMPGW_BEGAN=${QMPGW_BEGAN:-$(date +%s)}
step() { echo "image: $(($(date +%s) - QMPGW_BEGAN)) s: $*"; }
[ "$(id -u)" -eq 0 ] || refused 'only root can run containers here'
# Namespaces of its own: no mount, no process and no rule of the packet filter is left behind, however this ends.
if [ "${QMPGW_OWN_NAMESPACES:-}" != 1 ]; then
  unshare --mount --pid --net --fork true 2>/dev/null || refused 'this machine refuses namespaces'
  QMPGW_OWN_NAMESPACES=1 exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc bash "$0" "$@"
fi
bash scripts/install-debian.sh podman=podman crun=crun docker-compose=docker-compose catatonit=catatonit \
  /usr/lib/podman/netavark=netavark /usr/lib/podman/aardvark-dns=aardvark-dns iptables=iptables ip=iproute2 curl=curl openssl=openssl qemu-ga=qemu-guest-agent
[ -d node_modules ] || npm ci

work=$(mktemp -d /var/tmp/qmpgw-image.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
# A podman of its own too: its images are kept for the next run, everything else is forgotten as after a boot.
store=${QMPGW_CACHE:-/var/cache/qmp-gateway-tests}/containers
mkdir -p "$store"
exec 8>"$store.lock"
flock 8
resolver=$(readlink -f /etc/resolv.conf)
cp "$resolver" "$work/resolv.conf"
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
[ -e "$resolver" ] || install -D -m 0644 "$work/resolv.conf" "$resolver"
# crun takes no cgroups of both versions at once.
umount /sys/fs/cgroup/unified 2>/dev/null || true
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "/run/containers/storage"\n' "$store" >"$work/storage.conf"
# Limits that podman may set without the right to raise its own. Soft and hard ones are equal, because podman 4.3 confuses them for pods.
processes=$(ulimit -Hu)
most=$(cat /proc/sys/kernel/pid_max)
[ "$processes" != unlimited ] && [ "$processes" -lt "$most" ] || processes=$most
mkdir "$work/networks"
cat >"$work/containers.conf" <<END
[containers]
default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=$processes:$processes"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = "$work/networks"
END
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
podman info >"$work/info" 2>&1 || refused "podman: $(tail -1 "$work/info")"
forget() { { podman pod rm -af -t 0; podman rm -af -t 0; podman volume prune -f; podman image prune -f; } >/dev/null 2>&1 || true; }
forget
trap 'forget; rm -rf --one-file-system "$work"' EXIT

base() { podman image exists "$1" || timeout 60 podman pull -q "$1" >/dev/null 2>"$work/pull.log"; }
gateway_base=docker.io/library/node:22-bookworm-slim
vm_base=docker.io/library/debian:bookworm-slim
if ! base "$gateway_base" || ! base "$vm_base"; then
  step "no registry of images ($(tail -1 "$work/pull.log" | sed 's/.*: //')): bases made by debootstrap"
  root=$(bash scripts/debian-root.sh 22)
  tar -C "$root" -c . | podman import - "$vm_base" >/dev/null 2>&1
  printf 'FROM %s\nRUN groupadd -g 1000 node && useradd -u 1000 -g node -m node\n' "$vm_base" |
    podman build -q --isolation chroot --network host -t "$gateway_base" -f - . >/dev/null
fi
build() { podman build --isolation chroot --network host --format docker --pull=never "$@" >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; fail "the build of $*"; }; }
# By the command of the page: `docker build …`.
read -r docker verb arguments < <(node scripts/page-block.js docs/container.md 'docker build')
[ "$docker $verb" = 'docker build' ] || fail 'docs/container.md begins with another command'
step "$docker $verb $arguments"
# shellcheck disable=SC2086 # Words of a command.
build $arguments
step 'the image of the demo VMs'
build -t qmp-gateway-demo-vm -f docker/demo-vm.Dockerfile docker

image=localhost/qmp-gateway
size() { podman image inspect --format '{{.Size}}' "$1"; }
over=$((($(size "$image") - $(size "$gateway_base")) / 1000000))
step "$over MB over its base"
[ "$over" -lt 40 ] || fail "$over MB over its base"
error=$(podman run --rm --network none "$image" version 2>&1) || refused "a container cannot run here (namespaces or limits refused): $error"
# Without systemd podman says that it has no timer for the health check; the test runs the check itself.
in_image() { podman run --rm --network none --entrypoint sh "$image" -c "$1" 2>/dev/null; }
[ "$(podman image inspect --format '{{.Config.User}}' "$image")" = 1000:1000 ] || fail 'the user is not a number'
left=$(in_image "find /opt/qmp-gateway -name '*.spec.*' -o -name '*.map' -o -name '*.d.ts' -o -name 'test-kit' | head -3")
[ -z "$left" ] || fail "left in the image: $left"
addons=$(in_image "find /opt/qmp-gateway -name '*.node'" | sed 's|.*/prebuilds/||')
case $(uname -m) in x86_64) cpu=x64 ;; aarch64) cpu=arm64 ;; *) cpu=none ;; esac
[ "$addons" = linux-$cpu-glibc/unix_fds.node ] || fail "addons in the image: $addons"
in_image 'grep -q spdxVersion /opt/qmp-gateway/sbom.spdx.json' || fail 'no SBOM'

step 'the manifests against the schemas of Kubernetes'
validator=${store%/*}/kubernetes-validate-1.37.0
if [ ! -e "$validator.done" ]; then
  python3 -m pip --version >/dev/null 2>&1 || bash scripts/install-debian.sh pip3=python3-pip
  python3 -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --target "$validator" kubernetes-validate==1.37.0
  touch "$validator.done"
fi
for release in 1.27.0 1.37.0; do
  PYTHONPATH=$validator python3 -m kubernetes_validate --strict --quiet -k "$release" examples/kubernetes/*.yaml ||
    fail "examples/kubernetes is not what Kubernetes $release takes"
done
# Containers get addresses and published ports in a network of this test, so no port of the machine is taken.
unshare --net bash -euo pipefail scripts/image-steps.sh "$work"
