import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchReport } from '../../src/bench/report.js';
import { craneNative, root } from './crane-native.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane eilt-ä-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** The embedded model at a size that takes no time. */
const quick = ['bench', '--size', '112', '--threads', '1', '--warmup', '0'];
const hasPython = spawnSync('python3', ['--version']).status === 0;

describe('bench', () => {
  it('times the embedded model beside plain ATen, which runs its own kernels, and another model', async () => {
    const { code, stdout, stderr } = await craneNative([
      ...[...quick, '--rounds', '1', '--batch', '1,2', '--vs', 'plain', '--vs', 'crane-mini', '--json'],
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const report = JSON.parse(stdout) as BenchReport;
    expect(report.model).toMatchObject({ name: 'crane-mini', input: { width: 112, height: 112 } });
    // nine blocks of width 384 at 64 patches and a class token: mostly 2 * 65 * 12 * 384^2 * 9
    expect(report.work.gflop).toBeGreaterThan(2);
    expect(report.work.gflop).toBeLessThan(3);
    expect(report.runs.map(({ batch }) => batch)).toEqual([1, 2]);
    for (const { parties, gemm, peak, p } of report.runs) {
      expect(parties.map(({ name }) => name)).toEqual(['ours', 'plain', 'crane-mini']);
      expect(gemm.gflops).toBeGreaterThan(0);
      expect(peak!.gflops).toBeGreaterThan(0);
      expect(p).toBeCloseTo(report.work.gflop! / peak!.gflops, 6);
      const [ours, plain] = parties;
      expect(plain!.title).toContain('kernels linear=ref,attention=fused,affinity=ref');
      expect(ours!.title).toContain(report.engine.kernels);
      for (const party of parties) {
        expect(party.samples).toHaveLength(1);
        expect(party.secondsPerPicture.median).toBeGreaterThan(0);
        expect(party.stages!.forward).toBeGreaterThan(0);
        expect(party.peakBytes).toBeGreaterThan(50e6);
        expect(party.peakBytes).toBeLessThan(2e9);
      }
    }
  }, 120_000);

  it('Ctrl-C shows what was measured, ends the peers and leaves with 130', async () => {
    const main = join(root, 'dist', 'cli', 'main.js');
    const child = spawn(process.execPath, [main, ...quick, '--rounds', '999', '--vs', 'plain', '--verbose']);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    const twoRounds = new Promise<void>((resolve) => {
      child.stderr.on('data', (text) => {
        stderr += text;
        if (/7\/2997/.test(stderr)) resolve();
      });
    });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    await Promise.race([twoRounds, closed]);
    const peers = childrenOf(child.pid!);
    expect(peers).toHaveLength(1);
    child.kill('SIGINT');
    expect({ code: await closed, stderr }).toMatchObject({ code: 130 });
    expect(stdout).toMatch(/^interrupted: what was measured until then$/m);
    expect(stdout).toMatch(/^ours +\d/m);
    expect(stdout).toMatch(/^plain +\d/m);
    expect(peers.filter(isRunning)).toEqual([]);
  }, 120_000);

  if (hasPython) {
    it('a Python package that is missing is named, with the command that installs it', async () => {
      const folder = join(scratch, 'packages');
      await mkdir(folder, { recursive: true });
      for (const name of ['torch', 'openvino', 'numpy'])
        await writeFile(join(folder, `${name}.py`), `raise ImportError("No module named '${name}'")`);
      const args = [...quick, '--rounds', '1', '--vs', 'openvino', '--vs', 'authors', '--json'];
      const { code, stdout } = await craneNative(args, { env: { PYTHONPATH: folder } });
      expect(code).toBe(3);
      const { failures, runs } = JSON.parse(stdout) as BenchReport;
      expect(failures.map(({ name, hint }) => [name, hint])).toEqual([
        [
          'openvino',
          expect.stringMatching(/-m pip install openvino, or name another interpreter: --python PATH$/),
        ],
        ['authors', expect.stringMatching(/-m pip install torch, or/)],
      ]);
      expect(runs[0]!.parties).toHaveLength(1);
    }, 60_000);
  }

  it('--out is written whole', async () => {
    const out = join(scratch, 'speed.json');
    await craneNative([...quick, '--rounds', '1', '--out', out]);
    expect(JSON.parse(await readFile(out, 'utf8'))).toMatchObject({ format: 2, interrupted: false });
  }, 60_000);
});

/** Process ids; the fields after the program's name are state and parent. */
function childrenOf(pid: number): number[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.map(Number).filter((id) => {
    try {
      return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8'))?.[1]) === pid;
    } catch {
      return false;
    }
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
