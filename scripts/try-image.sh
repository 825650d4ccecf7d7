#!/bin/sh
# Tries deploy/Dockerfile without Docker: its build stage in a Debian of its own (debootstrap), its commands there as a user
# without rights on a read-only file system. As root, on a Debian with debootstrap and Node:
#   npm pack && sh scripts/try-image.sh crane-native-*.tgz /tmp/image
# PIP_INDEX_URL names the index for libtorch where its own address cannot be reached.
# What it cannot tell is whether the base images that the Dockerfile names can be had, and whether Docker reads the file.
set -eu
package=$(realpath "$1")
root=$2
here=$(dirname "$(dirname "$(realpath "$0")")")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

if [ ! -e "$root/usr/bin/env" ]; then
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror"
fi
# As node:22-bookworm has them: Node and npm. Names, certificates and the index of the network are this machine's.
install -D "$(node -p process.execPath)" "$root/usr/local/bin/node"
modules=$(npm root --global)
mkdir -p "$root/usr/local/lib/node_modules"
cp -r "$modules/npm" "$root/usr/local/lib/node_modules/"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
cp "$package" "$root/tmp/crane-native.tgz"
cp "$here/deploy/install.sh" "$root/tmp/install.sh"

word() { sed -n "s/^$1 //p" "$here/deploy/Dockerfile" | tail -1; }
user=$(word USER)
entry=$(word ENTRYPOINT | tr -d '[],"')
health=$(sed -n 's/^  CMD \["node", "-e", "\(.*\)"\]$/\1/p' "$here/deploy/Dockerfile")

echo '== the build stage'
[ -n "$(find "$root/opt/crane" -name libtorch_cpu.so 2> /dev/null)" ] ||
  unshare --mount --propagation private sh -eu -c 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"' "$root" \
    env PATH=/usr/local/bin:/usr/bin:/bin HOME=/root CRANE_CUDA=off CRANE_CACHE=/opt/crane \
    NODE_ENV=production PIP_INDEX_URL="${PIP_INDEX_URL:-}" sh /tmp/install.sh /tmp/crane-native.tgz /app
du -sh --apparent-size "$root/app" "$root/opt/crane"

# In a mount namespace of its own: nothing can be written but /tmp.
export root user entry health
unshare --mount --propagation private sh -eu << 'INSIDE'
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o size=256m tmpfs "$root/tmp"
mount --bind /dev "$root/dev"
within() {
  chroot --userspec="$user" "$root" \
    env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp CRANE_CACHE=/opt/crane NODE_ENV=production "$@"
}
echo "== as $user, read-only"
within sh -c 'id; touch /app/x 2>&1 || true; touch /opt/crane/x 2>&1 || true'
within $entry doctor
within $entry score /app/node_modules/crane-native/models/crane-mini/samples --format csv > "$root/tmp/scores.csv"
wc -l < "$root/tmp/scores.csv"

echo '== the service: health, a refusal without a token, SIGTERM'
printf '%064d\n' 7 > "$root/tmp/tokens"
chmod 644 "$root/tmp/tokens"
# exec: the signal is for Node, as for the first process of a container.
chroot --userspec="$user" "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp CRANE_CACHE=/opt/crane \
  NODE_ENV=production $entry serve --host 0.0.0.0 --token-file /tmp/tokens > "$root/tmp/serve.log" 2>&1 &
service=$!
tries=0
until within node -e "$health"; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { cat "$root/tmp/serve.log"; exit 1; }
  sleep 1
done
echo "healthy after $tries tries"
within node -e "fetch('http://127.0.0.1:8077/v1/score', { method: 'POST' }).then(({ status }) => console.log('without a token:', status))"
kill -TERM "$service"
wait "$service" && echo 'ended with 0'

echo '== a worker without a server of the queue'
within $entry worker --redis redis://127.0.0.1:1 --until-empty || echo "ended with $?"
INSIDE
