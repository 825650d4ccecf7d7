#!/bin/sh
# What the image's build stage does, in a Debian with Node and npm: install.sh PACKAGE FOLDER. Also what
# scripts/try-image.sh tries in a root of its own.
#   PACKAGE  crane-native@VERSION, or the path of a packed tarball
#   FOLDER   where the application is put; libtorch goes to $CRANE_CACHE
set -eu
package=$1
folder=$2
mkdir -p "$folder"
cd "$folder"
npm init --yes > /dev/null
# The peers of the queue and of s3:// in the versions that the package names.
npm install --omit=dev --no-audit --no-fund --ignore-scripts "$package"
peers=$(node -p "Object.entries(require('crane-native/package.json').peerDependencies)
  .filter(([name]) => ['bullmq', 'ioredis'].includes(name) || name.startsWith('@aws-sdk/'))
  .map(([name, version]) => name + '@' + version).join(' ')")
# shellcheck disable=SC2086
npm install --omit=dev --no-audit --no-fund --ignore-scripts $peers
# Some npm run no install scripts unless they are approved, so ours is run by name: it puts libtorch into the cache.
node node_modules/crane-native/scripts/install.mjs
# Whoever runs it later may read it all, and needs to write nothing.
chmod -R a+rX "$folder" "$CRANE_CACHE"
node_modules/.bin/crane-native doctor
