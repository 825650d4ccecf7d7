/** CRANE_CUDA=auto|on|off: whether the CUDA kernels are compiled, and with which nvcc. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CraneError } from '../errors.js';
import { runProgram } from '../libtorch/run-program.js';

export interface CudaChoice {
  on: boolean;
  nvcc: string | undefined;
  /** one line for the log */
  reason: string;
}

/** libtorch's CUDA libraries are of this major version; another runtime beside them does not work. */
const cudaMajor = '13';

/** Throws E_USAGE for another value and E_BUILD_TOOLS for `on` without an nvcc of the right version. */
export async function cudaChoice(env: NodeJS.ProcessEnv = process.env): Promise<CudaChoice> {
  const wish = (env['CRANE_CUDA'] || 'auto').toLowerCase();
  if (!['auto', 'on', 'off'].includes(wish))
    throw new CraneError('E_USAGE', `CRANE_CUDA is "${wish}", expected auto, on or off`, {
      hint: 'unset CRANE_CUDA',
    });
  if (wish === 'off') return { on: false, nvcc: undefined, reason: 'off (CRANE_CUDA=off)' };

  const nvcc = findNvcc(env);
  const problem = nvcc ? await nvccProblem(nvcc, env) : 'no nvcc in CUDACXX, CUDA_HOME or PATH';
  if (wish === 'on') {
    if (problem)
      throw new CraneError('E_BUILD_TOOLS', `CRANE_CUDA=on: ${problem}`, {
        hint: `install the CUDA ${cudaMajor} toolkit, or in a clone: eval "$(node scripts/fetch-nvcc.mjs <folder>)"`,
      });
    return { on: true, nvcc, reason: `on (CRANE_CUDA=on, ${nvcc})` };
  }
  if (problem) return { on: false, nvcc: undefined, reason: `off (${problem})` };
  if (!hasDriver())
    return {
      on: false,
      nvcc: undefined,
      reason: 'off (nvcc is there, but no NVIDIA driver; CRANE_CUDA=on compiles anyway)',
    };
  return { on: true, nvcc, reason: `on (${nvcc} and a driver)` };
}

function findNvcc(env: NodeJS.ProcessEnv): string | undefined {
  const name = process.platform === 'win32' ? 'nvcc.exe' : 'nvcc';
  const places = [
    ...(env['CUDACXX'] ? [env['CUDACXX']] : []),
    ...['CUDA_HOME', 'CUDA_PATH'].flatMap((v) => (env[v] ? [join(env[v], 'bin', name)] : [])),
    ...(env['PATH'] ?? '')
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => join(folder, name)),
    join('/usr/local/cuda', 'bin', name),
  ];
  return places.find((path) => existsSync(path));
}

async function nvccProblem(nvcc: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const answer = await runProgram(nvcc, ['--version'], { env });
  if (answer.status !== 0) return `${nvcc} does not run: ${answer.problem}`;
  const version = /release (\d+\.\d+)/.exec(answer.stdout)?.[1];
  if (version?.split('.')[0] === cudaMajor) return undefined;
  return `${nvcc} is CUDA ${version ?? 'of unknown version'}, libtorch needs ${cudaMajor}`;
}

function hasDriver(): boolean {
  return existsSync('/proc/driver/nvidia/version') || existsSync('/dev/dxg') || process.platform === 'win32';
}
