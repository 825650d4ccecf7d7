// Packs crane-native-engine from dist/, native/, prebuilds/ and models/: node scripts/pack-engine.mjs [folder for the tarball]
// Run after `npm run build:ts` and a build of the addon. Prints the tarball's name, as `npm pack` does.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engineFiles } from './engine-files.mjs';
import { installedParts } from './installed-parts.mjs';
import { licenceTexts } from './licence-texts.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const destination = resolve(process.argv[2] ?? '.');
const stage = join(root, 'build', 'packages', 'engine');

const run = (command, args, cwd) => {
  const { status, stdout } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
};

run(process.execPath, [join(root, 'scripts', 'prebuilds.mjs')], root);
rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifest = JSON.parse(readFileSync(join(root, 'packages', 'engine', 'package.json'), 'utf8'));
writeFileSync(join(stage, 'package.json'), `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);

// Scripts of the report are read as files, not imported.
const folders = [
  'dist/pages/report/client',
  'commonjs',
  'native',
  'bindings',
  'cmake',
  'prebuilds',
  'models',
];
const singles = ['CMakeLists.txt', 'scripts/install.mjs', 'LICENSE', 'THIRD_PARTY.md', 'CHANGELOG.md'];
const assets = ['assets/bpe_simple_vocab_16e6.txt.gz', 'assets/html-entities.json'];
const paths = [...engineFiles(root).files, ...folders, ...singles, ...assets];
// Without a build there are no prebuilds, and the package compiles where it is installed.
for (const path of paths.filter((path) => existsSync(join(root, path)))) {
  mkdirSync(dirname(join(stage, path)), { recursive: true });
  cpSync(join(root, path), join(stage, path), { recursive: true });
}
cpSync(join(root, 'packages', 'engine', 'README.md'), join(stage, 'README.md'));
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const parts = installedParts(lock, Object.keys(manifest.dependencies));
writeFileSync(join(stage, 'THIRD_PARTY_LICENSES.txt'), licenceTexts(root, parts));

mkdirSync(destination, { recursive: true });
process.stdout.write(
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', destination], stage),
);
