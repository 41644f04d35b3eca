#!/usr/bin/env bash
# Prints the folder of a fresh Debian 12 root with Node.js, for tests that need a machine of their own. Made once by `debootstrap`
# and kept in QMPGW_CACHE (default: /var/cache/qmp-gateway-tests); callers copy it and leave it as it is.
#
#   debian-root.sh NODE_MAJOR [PACKAGE...]
#
# Node.js is the npm package of its name, with the npm of that release. The root takes over how this machine reaches Debian's
# packages and npm's: settings of apt and npm, and certificates.
set -euo pipefail
node=$1
shift
cd "$(dirname "$0")/.."
bash scripts/install-debian.sh debootstrap=debootstrap >&2
cache=${QMPGW_CACHE:-/var/cache/qmp-gateway-tests}
mkdir -p "$cache"
# Change the number when what is put into the root changes.
form=2
key=$(printf "%s\n" "$form" "$node" "$@" | sha256sum | cut -c1-12)
root=$cache/debian-12-node-$node-$key
exec 9>"$cache/lock"
flock 9
if [ ! -e "$root.done" ]; then
  # One that was interrupted may have left its mounts.
  umount "$root/proc" "$root/sys" 2>/dev/null || true
  rm -rf --one-file-system "$root"
  packages=$(IFS=,; echo "ca-certificates${*:+,$*}")
  debootstrap --variant=minbase --include="$packages" bookworm "$root" >"$cache/debootstrap.log" 2>&1 ||
    { tail -5 "$cache/debootstrap.log" >&2; exit 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  work=$(mktemp -d)
  (
    cd "$work"
    case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
    npm pack --silent "node-linux-$arch@$node" >/dev/null
    tar xzf node-*.tgz
    install -D -m 0755 package/bin/node "$root/usr/local/bin/node"
    # The headers come with it everywhere, also in the images of its name.
    mkdir -p "$root/usr/local/include"
    cp -r package/include/node "$root/usr/local/include/node"
    rm -rf package
    # The npm that this release of Node.js ships.
    case $node in 20 | 22) npm=10 ;; *) npm=11 ;; esac
    npm pack --silent "npm@$npm" >/dev/null
    mkdir -p "$root/usr/local/lib/node_modules/npm" "$root/usr/local/etc"
    tar xzf npm-*.tgz -C "$root/usr/local/lib/node_modules/npm" --strip-components=1 --no-same-owner
    for program in npm npx; do ln -sf "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"; done
    chmod 0755 "$root"/usr/local/lib/node_modules/npm/bin/*-cli.js
  )
  rm -rf "$work"
  {
    echo 'cafile=/etc/ssl/certs/ca-certificates.crt'
    echo "registry=$(npm config get registry)"
    echo 'update-notifier=false'
  } >"$root/usr/local/etc/npmrc"
  touch "$root.done"
fi
echo "$root"
