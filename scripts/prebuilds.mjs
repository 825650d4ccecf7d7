// Puts the addons of build/Release into prebuilds/<platform>-<arch>/ for packing (run by `npm pack`).
// Usage: node scripts/prebuilds.mjs. Debug symbols are stripped, the build machine's paths left out of the record.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const module = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { engineFile, loaderFile, readBuildRecord, recordFile } = await module('addon/build-record.js');
const { packageVersion } = await module('files/package-root.js');
const { readElf } = await module('libtorch/elf.js');

const from = join(root, 'build', 'Release');
const to = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
rmSync(join(root, 'prebuilds'), { recursive: true, force: true });

if (!existsSync(join(from, recordFile))) {
  console.error(
    'prebuilds: no build/Release, so the package will be built from source where it is installed',
  );
  process.exit(0);
}
const { libtorchRoot: _here, ...record } = readBuildRecord(join(from, recordFile));
if (record.version !== packageVersion()) {
  console.error(`prebuilds: build/Release is of version ${record.version}, build again: npm run build`);
  process.exit(1);
}

mkdirSync(to, { recursive: true });
for (const name of [loaderFile, engineFile]) {
  const path = join(to, name);
  copyFileSync(join(from, name), path);
  if (process.platform === 'linux') strip(path);
  console.error(`prebuilds: ${name} ${(statSync(path).size / 1e6).toFixed(2)} MB`);
}
writeFileSync(join(to, recordFile), `${JSON.stringify(record, null, 2)}\n`);
console.error(`prebuilds: ${to}: libtorch ${record.libtorch}, glibc ${record.glibc ?? '-'} or newer`);

/** A path of this machine in the addon would be looked for on the user's. */
function strip(path) {
  const result = spawnSync('strip', ['--strip-unneeded', path], { encoding: 'utf8' });
  if (result.status !== 0)
    console.error(`prebuilds: not stripped (${result.error?.message ?? result.stderr})`);
  const searchPaths = readElf(path)?.searchPaths ?? [];
  if (searchPaths.length > 0 || readFileSync(path).includes(root)) {
    console.error(`prebuilds: ${path} holds paths of this machine (${searchPaths.join(', ') || root})`);
    process.exit(1);
  }
}
