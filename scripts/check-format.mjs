// Fails when a C++ or CUDA file is not formatted: node scripts/check-format.mjs [--write]
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = createRequire(import.meta.url).resolve('clang-format');
const files = globSync(
  ['native', 'bindings', 'test/native'].map((folder) => `${folder}/**/*.{h,cpp,cu,cuh}`),
  { cwd: root },
);
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
const { status, error } = spawnSync(process.execPath, [program, ...mode, '--style=file', ...files.sort()], {
  cwd: root,
  stdio: 'inherit',
});
if (error) console.error(error.message);
if (status !== 0) console.error(`repair: node ${join('scripts', 'check-format.mjs')} --write`);
else console.log(`${files.length} C++ files are formatted`);
process.exit(status ?? 1);
