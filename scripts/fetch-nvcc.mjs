// Assembles an nvcc of CUDA 13.0 from the package index by pip, for machines without a toolkit (CI, for instance).
// Usage: node scripts/fetch-nvcc.mjs <folder>; prints the CUDA_HOME to build with. The wheels are under NVIDIA's
// licence (kept beside each of them).
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

// the versions of the toolkit that libtorch 2.11.0 names (cuda-toolkit 13.0.2)
const wheels = [
  'nvidia-cuda-nvcc==13.0.88', // nvcc, cudafe++, ptxas, fatbinary
  'nvidia-cuda-crt==13.0.88', // include/crt
  'nvidia-nvvm==13.0.88', // cicc and libdevice
  'nvidia-cuda-runtime==13.0.96', // cuda_runtime.h and cudart
  'nvidia-cuda-cccl==13.0.85', // thrust, cub and libcu++, which the runtime's headers include
];

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node scripts/fetch-nvcc.mjs <folder>');
  process.exit(2);
}
const target = resolve(folder);
const home = join(target, 'nvidia', 'cu13');

if (!existsSync(join(home, 'bin', 'nvcc'))) {
  const args = ['-m', 'pip', 'install', '--no-deps', '--upgrade', '--target', target, ...wheels];
  const pip = spawnSync(process.env.PYTHON ?? 'python3', args, { stdio: ['ignore', 2, 2] });
  if (pip.status !== 0) {
    console.error(`pip could not install the wheels (${pip.error?.message ?? `status ${pip.status}`})`);
    process.exit(5);
  }
}
linkOnce('lib', join(home, 'lib64')); // nvcc.profile looks in lib64
for (const name of readdirSync(join(home, 'lib')).filter((n) => /^libcudart\.so\.\d+$/.test(n)))
  linkOnce(name, join(home, 'lib', 'libcudart.so')); // the name the linker asks for

const version = spawnSync(join(home, 'bin', 'nvcc'), ['--version'], { encoding: 'utf8' });
if (version.status !== 0) {
  console.error(`${join(home, 'bin', 'nvcc')} does not run: ${version.error?.message ?? version.stderr}`);
  process.exit(5);
}
console.error(version.stdout.trim().split('\n').at(-1));
console.log(`export CUDA_HOME='${home}'`);

function linkOnce(to, path) {
  if (!existsSync(path)) symlinkSync(to, path);
}
