import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchReport } from '../../../src/bench/report.js';
import { type CliSurroundings, runInProcess } from '../cli/run-in-process.js';
import { type FakeBehaviour, makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';
import { type Behaviour, useFakePeers } from './fake-peer.js';

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await makeToyFolder();
  model = (await makeToyModel(join(folder, 'toy'))).folder;
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const peers = useFakePeers();

/** The toy's weight file holds no tensors: sizes come from the engine. */
function toyAddon(behaviour: FakeBehaviour = {}) {
  const inspectWeights = async () =>
    ({ container: 'safetensors', naming: '', metadata: {}, tensors: [] }) as const;
  return Object.assign(makeFakeAddon(behaviour), { inspectWeights: inspectWeights as never });
}

const bench = (args: string[], surroundings: CliSurroundings = {}) =>
  runInProcess(['bench', '--model', model, '--rounds', '2', ...args], {
    env: { ...process.env, CRANE_CACHE: join(folder, 'cache') },
    addon: toyAddon(),
    ...surroundings,
  });
/** A peer in "Python": the interpreter is a program that plays the peer itself. */
const withPeer = (behaviour: Behaviour) => ['--vs', 'pytorch', '--python', peers.program(behaviour)];
const reportOf = (stdout: string) => JSON.parse(stdout) as BenchReport;

describe('bench', () => {
  it('shows machine, model, figures and stages', async () => {
    const { code, stdout } = await bench(['--batch', '1,3']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^machine +\S/);
    expect(stdout).toMatch(/^model +toy, method crane, 0 M parameters, input 28 x 28$/m);
    expect(stdout).toMatch(
      /^batch 1, 2 threads, float32, 2 rounds; peak 400 GFLOP\/s \(avx512's own\), so P = /m,
    );
    expect(stdout).toMatch(/^ {2}peaks of this CPU in 1e9 operations\/s: float32 avx512 400, ref 100$/m);
    expect(stdout).toMatch(/^ {2}libtorch's product of 4096 x 4096 float32 275 GFLOP\/s, 69 % of the peak$/m);
    expect(stdout).toMatch(/^batch 3, 2 threads/m);
    expect(stdout).toMatch(/^ours +\d/m);
    expect(stdout).toMatch(
      /stages in ms a picture: decode [\d.]+, preprocess 1.0, forward 2.0, postprocess 3.0/,
    );
  });

  it('--json holds every sample, versions, the command and its settings', async () => {
    const { stdout } = await bench(['--json', '--threads', '1,2', '--batch', '1', '--batch', '2']);
    const report = reportOf(stdout);
    expect(report).toMatchObject({
      format: 2,
      engine: { version: '0.1.0', libtorch: '2.11.0', device: 'cpu' },
      model: { name: 'toy', synthetic: false, input: { width: 28, height: 28 }, parameters: 2000 },
      settings: { rounds: 2, warmup: 1, seconds: null },
      failures: [],
      interrupted: false,
    });
    expect(report.command).toMatch(
      /^crane-native bench --batch 1 --batch 2 --threads 1,2 --model '.*' --rounds 2 --json$/,
    );
    expect(report.runs.map(({ threads, batch }) => [threads, batch])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
    for (const run of report.runs) {
      expect(run.gemm.samples).toEqual(Array(2).fill({ seconds: 0.5, cpuSeconds: 0.25 }));
      expect(run.parties[0]!.samples).toHaveLength(2);
    }
    // 4 tokens and a class token, width 64, 4 blocks: linears 7.9e-3, and so on
    expect(report.work.gflop).toBeGreaterThan(0.002);
    expect(report.work.gflop).toBeLessThan(0.01);
  });

  it('every batch holds as many pictures as it says, in one pass, with their maps', async () => {
    const addon = toyAddon();
    await bench(['--batch', '3', '--warmup', '0'], { addon });
    expect(addon.log.passes.map(({ requests }) => requests.length)).toEqual([3, 3]);
    expect(addon.log.passes.every(({ requests }) => requests.every(({ wantMap }) => wantMap))).toBe(true);
    expect(addon.log.products).toHaveLength(2);
    expect(addon.log.products[0]).toEqual({ size: 4096, repeats: 1, precision: 'float32', device: 'cpu' });
    expect(addon.log.disposed).toBe(1);
  });

  it('measures another method, by its own arithmetic', async () => {
    const run = await bench(['--method', 'winclip', '--class-name', 'nut', '--json']);
    expect(run.stderr).toBe('');
    const { model: measured, work, runs } = reportOf(run.stdout);
    expect(measured.method).toBe('winclip');
    expect(work.parts.map(({ part }) => part)).not.toContain('E-Attn scores');
    expect(work.gflop).toBeGreaterThan(0);
    expect(runs[0]!.parties[0]!.title).toContain('toy, winclip, kernels');
  });

  it.each(['authors', 'batched'])('tells the peer %s what a compared system is made of', async (writing) => {
    const named = ['--method', 'vand', '--class-name', 'nut', '--prompts', join(folder, 'heads')];
    await writeFile(join(folder, 'heads'), 'heads');
    const run = await bench([...named, '--vs', writing, '--python', peers.program('tells'), '--json']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const [, peer] = reportOf(run.stdout).runs[0]!.parties;
    expect(peer).toMatchObject({ name: writing, title: `${writing} vand gelu bicubic-antialias` });
  });

  it('has no batched writing of Crane', async () => {
    const asked = ['--vs', 'batched', '--python', peers.program('tells')];
    const { code, stderr } = await bench(asked);
    expect(code).toBe(4);
    expect(stderr).toContain('peer batched computes the compared systems');
  });

  it('puts a peer beside ours, with its share and the ratio', async () => {
    const { code, stdout } = await bench([...withPeer('good'), '--json']);
    expect(code).toBe(0);
    const [run] = reportOf(stdout).runs;
    const [ours, peer] = run!.parties;
    expect(peer).toMatchObject({ name: 'pytorch', title: 'a fake', versions: { fake: '1.0' } });
    expect(peer!.secondsPerPicture.median).toBe(0.25);
    expect(peer!.shareOfPeak).toBeCloseTo(10 / 0.25 / 400, 4);
    expect(peer!.shareOfProduct).toBeCloseTo(10 / 0.25 / 274.88, 4);
    expect(peer!.ratio).toBeCloseTo(ours!.secondsPerPicture.median / 0.25, 1);
  });

  it.each<[Behaviour, string]>([
    ['dies', 'pytorch ended with exit code 7: out of luck'],
    ['babbles', 'pytorch answered with what is no answer: Loading model: 100%'],
    ['refuses', 'pytorch says: cannot import torch'],
  ])('with a peer that %s the rest is measured, and the end is 3', async (behaviour, message) => {
    const { code, stdout, stderr } = await bench([...withPeer(behaviour), '--batch', '1,2', '--json']);
    expect(code).toBe(3);
    const report = reportOf(stdout);
    expect(report.failures).toMatchObject([{ name: 'pytorch', code: 'E_BENCH_PEER', message }]);
    expect(report.runs).toHaveLength(2);
    for (const run of report.runs) expect(run.parties.map(({ name }) => name)).toEqual(['ours']);
    expect(JSON.parse(stderr.trim().split('\n').at(-1)!)).toMatchObject({
      error: { code: 'E_BENCH_PEER', message: expect.stringContaining(message) },
    });
  });

  it('a failed peer has its row in the table, with the reason below', async () => {
    const { stdout } = await bench(withPeer('dies'));
    expect(stdout).toMatch(/^pytorch +failed$/m);
    expect(stdout).toMatch(/^ {2}pytorch: failed: pytorch ended with exit code 7: out of luck$/m);
  });

  it('a peer that dies later keeps its rounds until then', async () => {
    const { code, stdout } = await bench([...withPeer('diesLater'), '--json']);
    expect(code).toBe(3);
    const [run] = reportOf(stdout).runs;
    expect(run!.parties.map(({ name, rounds }) => [name, rounds])).toEqual([
      ['ours', 2],
      ['pytorch', 1],
    ]);
  });

  it('Python that is not there is told with what to do', async () => {
    const { code, stderr } = await bench(['--vs', 'openvino', '--python', join(folder, 'python3')]);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^openvino cannot be started: .*python3 is not there \[E_BENCH_PEER\]\n {2}name an interpreter: --python PATH$/m,
    );
  });

  it('interrupted: shows what was measured, ends peers, leaves with 130', async () => {
    const stop = new AbortController();
    const passes = { count: 0 };
    const addon = toyAddon({ gate: async () => void (++passes.count === 3 && stop.abort()) });
    const run = await bench([...withPeer('good'), '--rounds', '9', '--json'], { addon, stop: stop.signal });
    expect(run.code).toBe(130);
    const report = reportOf(run.stdout);
    expect(report.interrupted).toBe(true);
    // one pass is the warm-up, the third one was given up
    expect(report.runs[0]!.parties[0]!.rounds).toBe(1);
    expect(JSON.parse(run.stderr.trim().split('\n').at(-1)!)).toMatchObject({
      error: { code: 'E_CANCELLED' },
    });
    expect(addon.log.disposed).toBe(1);
  });

  it('--out writes the same report; what exists is told before anything is measured', async () => {
    const out = join(folder, 'speed.json');
    const { stderr, stdout } = await bench(['--out', out]);
    expect(stderr).toContain(`results: ${out}`);
    expect(stdout).toMatch(/^machine/);
    expect(reportOf(await readFile(out, 'utf8')).runs).toHaveLength(1);
    const addon = toyAddon();
    const again = await bench(['--out', out], { addon });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('[E_EXISTS]');
    expect(addon.log.opened).toHaveLength(0);
    await writeFile(out, 'old');
    expect((await bench(['--out', out, '--force'])).code).toBe(0);
    expect(reportOf(await readFile(out, 'utf8')).format).toBe(2);
  });

  it.each([
    [['--batch', '1,0'], 'for --batch but received "0"'],
    [['--batch', '1,,2'], 'for --batch but received ""'],
    [['--threads', 'two'], 'for --threads but received "two"'],
    [['--rounds', '0'], 'for --rounds but received "0"'],
    [['--seconds', '0'], 'for --seconds but received "0"'],
    [['--synthetic'], 'there are no random weights for'],
  ])('%j is refused', async (args, message) => {
    const addon = toyAddon();
    const { code, stderr } = await bench(args, { addon });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(addon.log.opened).toHaveLength(0);
  });

  it('a peer that nobody knows is told before anything is measured', async () => {
    const addon = toyAddon();
    const { code, stderr } = await bench(['--vs', 'openvin'], { addon });
    expect(code).toBe(4);
    expect(stderr).toContain('no model is called "openvin"');
    expect(stderr).toContain('peers are plain, pytorch, openvino, authors, batched, and models');
    expect(addon.log.opened).toHaveLength(0);
  });
});
