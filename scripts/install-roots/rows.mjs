// What is tried by install-roots.mjs. `install` and `use` are the exit codes that are right; 0 of `use` is a score that is the golden one,
// any other is an error that says all of `says`, and whose output shows no trace of the program's own calls.

/** What a user does after the install: scores a sample. */
const score = 'node_modules/.bin/crane-native score "$SAMPLE" --format jsonl';
const fetchAgain = 'node_modules/.bin/crane-native build --fetch';

/**
 * Of a row: `node` its major versions; `layer` what the system has beside Node; `from` 'prebuilt' (the package as it is) or 'source'
 * (without its prebuilt engine); `usedBy` the Node of the use, where it is another; `libtorch` where one is; `network`; `user`, who is root unless named; `project` the folder; `flags`
 * of npm install; `env`; `before` the install, `between` it and the use: commands within, as root; `freeze` what can no longer be
 * written: 'home' from the start, 'all' after the install; `systems` where not in all.
 */
export const rows = [
  {
    name: 'no compiler, no Python, libtorch in the cache folder',
    node: [20, 22, 24],
    libtorch: 'cache',
    ...{ install: 0, use: 0 },
  },
  {
    name: 'a user without rights, a folder with spaces',
    user: true,
    project: '/home/user/my parts ä',
    libtorch: 'cache',
    ...{ install: 0, use: 0 },
  },
  { name: '--ignore-scripts', flags: '--ignore-scripts', libtorch: 'cache', install: 0, use: 0 },
  {
    name: '--ignore-scripts, no libtorch',
    flags: '--ignore-scripts',
    ...{ install: 0, use: 5, says: [/\[E_LIBTORCH_NOT_FOUND\]/, /build --fetch/] },
  },
  {
    name: 'no libtorch',
    ...{ install: 0, use: 5, says: [/\[E_LIBTORCH_NOT_FOUND\]/, /build --fetch/] },
  },
  {
    name: 'no libtorch, then one is named and build --fetch',
    libtorch: 'named',
    env: { CRANE_LIBTORCH: '' },
    command: `CRANE_LIBTORCH=/opt/libtorch/torch ${fetchAgain} && CRANE_LIBTORCH=/opt/libtorch/torch ${score}`,
    ...{ install: 0, use: 0 },
  },
  {
    name: 'a folder of another libtorch named',
    libtorch: 'wrong',
    ...{ install: 5, use: 5, says: [/E_LIBTORCH_VERSION/, /2\.10\.0/, /2\.11\.0/] },
  },
  {
    name: 'Python with torch 2.11.0',
    layer: 'python',
    libtorch: 'python',
    ...{ install: 0, use: 0 },
  },
  {
    name: 'Python with torch 2.10.0',
    layer: 'python',
    libtorch: 'wrong-python',
    ...{ install: 0, use: 5, says: [/2\.10\.0/, /2\.11\.0/] },
  },
  {
    name: 'Python without torch, pip without an index',
    layer: 'python',
    ...{ install: 0, use: 5, says: [/has no torch/, /\[E_LIBTORCH_NOT_FOUND\]/] },
  },
  {
    name: 'home that cannot be written, libtorch named',
    freeze: 'home',
    user: true,
    project: '/srv/parts',
    libtorch: 'named',
    ...{ install: 0, use: 0 },
  },
  {
    name: 'home that cannot be written, no libtorch',
    freeze: 'home',
    user: true,
    project: '/srv/parts',
    ...{ install: 0, use: 5, says: [/CRANE_CACHE/] },
  },
  {
    name: 'nothing can be written after the install',
    freeze: 'all',
    user: true,
    libtorch: 'cache',
    ...{ install: 0, use: 0 },
  },
  {
    name: 'with the network, a cache folder of 1 MB, build --fetch',
    command: fetchAgain,
    libtorch: 'none',
    network: true,
    systems: ['bookworm'],
    before: 'mkdir -p /small && mount -t tmpfs -o size=1m tmpfs /small',
    env: { CRANE_CACHE: '/small' },
    ...{ install: 0, use: 5, says: [/CRANE_CACHE/, /no space|ENOSPC/i] },
  },
  {
    name: 'installed by Node 22, used by Node 18',
    libtorch: 'cache',
    usedBy: 18,
    ...{ install: 0, use: 5, says: [/this is Node 18/, /20\.19/] },
  },
  {
    name: 'with the network: libtorch from the package index',
    network: true,
    systems: ['bookworm'],
    ...{ install: 0, use: 0 },
  },
  {
    name: 'from source, no compiler',
    from: 'source',
    libtorch: 'cache',
    ...{ install: 5, use: 5, says: [/E_BUILD_TOOLS/, /cmake 3\.22/, /apt/] },
  },
  {
    name: 'from source, --ignore-scripts',
    from: 'source',
    flags: '--ignore-scripts',
    libtorch: 'cache',
    ...{ install: 0, use: 5, says: [/npx crane-native build/, /\[E_ADDON_NOT_BUILT\]/] },
  },
  {
    name: 'from source, a compiler that fails',
    from: 'source',
    layer: 'tools',
    libtorch: 'cache',
    before: String.raw`printf '#!/bin/sh\ncase "$*" in *tower.cpp*) echo "tower.cpp:1:1: error: planted" >&2; exit 1;; esac\nexec /usr/bin/g++ "$@"\n' > /usr/local/bin/c++ && chmod 755 /usr/local/bin/c++`,
    env: { CXX: '/usr/local/bin/c++' },
    ...{ install: 5, use: 5, says: [/E_BUILD\b/, /error: planted/] },
  },
  {
    name: 'from source, g++, cmake and ninja, a user without rights, a folder with spaces',
    from: 'source',
    layer: 'tools',
    user: true,
    project: '/home/user/my parts ä',
    libtorch: 'cache',
    ...{ install: 0, use: 0 },
  },
];

for (const row of rows) row.command ??= score;
