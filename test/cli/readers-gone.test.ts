/** Whoever reads a command's output goes before its end, as `head -1` does: what writes files is finished, and ends with its own code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { root, run } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

let scratch: string;
let model: string;
let data: string;
const at = (...parts: string[]) => join(scratch, ...parts);
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane allein-ä-'));
  model = await makeTinyModel(at('model'));
  data = await makeNoiseSet(at('noise'), 12);
}, 60_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const both = '> >(true) 2>&1';
const stdout = '> >(true)';
const stderr = '2> >(true)';

/** For a shell: a command with a pipe that nobody reads behind the streams. */
function unreadLine(args: string[], where: string) {
  const main = join(root, 'dist', 'cli', 'main.js');
  const words = [process.execPath, main, ...args].map((arg) => `'${arg}'`).join(' ');
  return ['-c', `exec ${words} ${where}`];
}
const unread = (args: string[], where: string) => run('bash', unreadLine(args, where));
function started(args: string[], where: string) {
  const child = spawn('bash', unreadLine(args, where), { stdio: 'ignore' });
  return { child, ended: new Promise((done) => child.on('exit', done)) };
}
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
const withModel = () => ['--model', model, '--threads', '1'];
const score = (...more: string[]) => ['score', data, '--recursive', ...withModel(), '--batch', '1', ...more];

describe.runIf(process.platform === 'linux')('whoever reads the output goes', () => {
  it.each(['jsonl', 'csv', 'parquet', 'table'])(
    'from score --out --format %s: all rows are written, the code is its own',
    async (format) => {
      const out = at(`scored-${format}`);
      const more = ['--out', out, '--format', format, '--threshold', '0', '--fail-on-anomaly'];
      expect((await unread(score(...more), both)).code).toBe(10);
      const rows = (await readFile(join(out, 'results.jsonl'), 'utf8')).trimEnd().split('\n');
      expect([rows.length, await readdir(out)]).toEqual([12, ['results.jsonl']]);
    },
    60_000,
  );

  it('from score alone: it ends, and that is no fault', async () => {
    const { code, stderr } = await unread(score('--format', 'jsonl'), stdout);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^[1-9] pictures; [^\n]*\n$/);
  }, 60_000);

  it('from its words alone: rows and code are the same', async () => {
    const args = score('--format', 'jsonl', '--threshold', '0', '--fail-on-anomaly');
    const { code, stdout } = await unread(args, stderr);
    expect([code, stdout.trimEnd().split('\n').length]).toEqual([10, 12]);
  }, 60_000);

  it.each([both, stderr])(
    'from train %s: all seeds are learned',
    async (where) => {
      const name = where === both ? 'both' : 'stderr';
      const learning = ['--seeds', '2', '--epochs', '2', '--batch-size', '2', '--cache', at('cache')];
      const run = await unread(
        ['train', data, ...withModel(), ...learning, '--out', at('learned', name)],
        where,
      );
      expect(run.code).toBe(0);
      const seeds = ['seed_111', 'seed_112'];
      expect(await readdir(at('learned', name))).toEqual(expect.arrayContaining(seeds));
      for (const seed of seeds)
        expect(await readdir(at('learned', name, seed))).toContain('prompts.safetensors');
    },
    60_000,
  );

  it.each([
    ['test', () => ['test', data, ...withModel(), '--out', at('tested')], 'tested', 'report.html'],
    [
      'normals learn',
      () => {
        const good = join(data, 'part', 'test', 'good');
        return ['normals', 'learn', good, ...withModel(), '--out', at('banks', 'part.safetensors')];
      },
      'banks',
      'part.safetensors',
    ],
    ['data index', () => ['data', 'index', data, '--out', at('noise', 'meta.json')], 'noise', 'meta.json'],
  ])(
    'from %s: its files are there',
    async (_, args, folder, file) => {
      await mkdir(at('banks'), { recursive: true });
      expect((await unread(args(), both)).code).toBe(0);
      expect(await readdir(at(folder))).toContain(file);
    },
    60_000,
  );

  it('from calibrate --write: the model has its threshold', async () => {
    const calibrated = await makeTinyModel(at('calibrated'));
    const args = ['calibrate', data, '--model', calibrated, '--threads', '1', '--write'];
    expect((await unread(args, both)).code).toBe(0);
    const { threshold } = JSON.parse(await readFile(join(calibrated, 'model.json'), 'utf8'));
    expect(threshold).toEqual(expect.any(Number));
  }, 60_000);

  it('from watch: what comes later is scored, and a signal ends it', async () => {
    const [watched, delivered] = [at('watched'), at('delivered.jsonl')];
    await mkdir(watched);
    const more = ['--deliver', delivered, '--state', at('state'), '--settle-ms', '100'];
    const { child, ended } = started(['watch', watched, ...withModel(), ...more], both);
    try {
      const good = join(data, 'part', 'test', 'good');
      for (const [count, name] of ['0.png', '2.png'].entries()) {
        await copyFile(join(good, name), join(watched, name));
        await vi.waitFor(
          async () =>
            expect((await readFile(delivered, 'utf8')).trimEnd().split('\n')).toHaveLength(count + 1),
          { timeout: 30_000, interval: 100 },
        );
      }
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  }, 90_000);

  it('from serve: it answers, and a signal ends it', async () => {
    const port = await freePort();
    const { child, ended } = started(['serve', ...withModel(), '--port', String(port)], both);
    try {
      await vi.waitFor(
        async () => expect((await fetch(`http://127.0.0.1:${port}/v1/models`)).status).toBe(200),
        { timeout: 30_000, interval: 100 },
      );
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  }, 90_000);
});
