#!/usr/bin/env bash
# Fetches the kernel for the tests' Linux guest: Debian's cloud kernel, which it unpacks into a cache and does not install.
#
#   scripts/guest-kernel.sh      prints the directory: vmlinuz and the modules, all files side by side
#
# The cache is QMPGW_GUEST_KERNEL, or qmp-gateway/guest-kernel in the user's cache directory. An existing kernel is kept.
set -euo pipefail
directory=${QMPGW_GUEST_KERNEL:-${XDG_CACHE_HOME:-$HOME/.cache}/qmp-gateway/guest-kernel}
if [ -f "$directory/vmlinuz" ]; then
  echo "$directory"
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
  echo "No kernel for the guest in $directory. Put a Linux kernel there as vmlinuz, and its virtio and 8021q modules (*.ko)" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# The meta-package depends on the newest kernel; apt knows it only after `apt-get update`.
newest() { apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1; }
package=$(newest)
download() { apt-get download -qq -o APT::Sandbox::User=root "$package" >&2; }
if [ -z "$package" ] || ! download; then
  apt-get update -qq >&2
  package=$(newest)
  download
fi
dpkg-deb -x ./*.deb unpacked
mkdir kernel
cp unpacked/boot/vmlinuz-* kernel/vmlinuz
find unpacked -name '*.ko*' \( -path '*/virtio/*' -o -path '*/8021q/*' -o -path '*/802/*' -o -path '*/llc/*' -o -name '*failover.ko*' \
  -o -name 'virtio_net.ko*' -o -name 'virtio_console.ko*' \) -exec cp {} kernel \;
find kernel -name '*.ko.xz' -exec xz -d {} +
# In one step, so that a run that was interrupted leaves nothing half made.
mkdir -p "$(dirname "$directory")"
rm -rf "$directory"
mv kernel "$directory"
echo "$directory"
