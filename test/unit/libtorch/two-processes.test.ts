import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeIndex } from './fake-index.js';
import { bareEnv, cpuLibrary, torchWheels } from './fake-torch.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** below node_modules, so that the compiled modules find the packages they import */
const compiled = join(root, 'node_modules', '.cache', 'crane-libtorch-test');
let index: FakeIndex;

beforeAll(async () => {
  mkdirSync(compiled, { recursive: true });
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const options = ['--outDir', compiled, '--declaration', 'false', '--noCheck'];
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json'), ...options]);
}, 60_000);

afterAll(() => index?.close());

interface Run {
  pid: number;
  stdout: string;
  stderr: string;
  done: Promise<number | string>;
  kill(): void;
}

function find(env: NodeJS.ProcessEnv): Run {
  const module = pathToFileURL(join(compiled, 'libtorch', 'find.js')).href;
  const script = `import { findLibtorch } from ${JSON.stringify(module)}; console.log((await findLibtorch()).way);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env, cwd: compiled });
  const run: Run = {
    pid: child.pid!,
    stdout: '',
    stderr: '',
    done: new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal ?? ''))),
    kill: () => child.kill('SIGKILL'),
  };
  child.stdout.on('data', (data) => {
    run.stdout += data;
  });
  child.stderr.on('data', (data) => {
    run.stderr += data;
  });
  return run;
}

describe('two processes that need libtorch', () => {
  it('download it once', async () => {
    index = await FakeIndex.start(torchWheels());
    const env = bareEnv({ PIP_INDEX_URL: index.url });
    const runs = [find(env), find(env)];
    for (const run of runs) expect(await run.done, run.stderr).toBe(0);
    expect(runs.map((run) => run.stdout.trim()).sort()).toEqual(['cache', 'index']);
    expect(index.requests.filter((r) => r.path === '/simple/torch/')).toHaveLength(1);
    await index.close();
  });

  it('get over a process that was killed in the middle of the download', async () => {
    // the connection hangs after 100 kB until the process is gone
    index = await FakeIndex.start(torchWheels(), { stallAfter: { bytes: 100_000 } });
    const env = bareEnv({ PIP_INDEX_URL: index.url });
    const first = find(env);
    while (!index.stalled) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 50));
    first.kill();
    expect(await first.done).toBe('SIGKILL');
    const folder = join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cpu');
    expect(existsSync(folder)).toBe(false);
    const second = find(env);
    expect(await second.done, second.stderr).toBe(0);
    expect(existsSync(join(folder, 'torch', 'lib', cpuLibrary))).toBe(true);
    expect(existsSync(`${folder}.part`)).toBe(false);
  });
});
