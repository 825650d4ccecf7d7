/** Banks that clients add, with the real engine: the scores of the command line, and processes that are killed in the middle. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { craneNative, lines, samples } from '../cli/crane-native.js';
import { type Served, serve, stop, until } from './serve.js';

const good = readdirSync(samples)
  .filter((name) => name.includes('-good-'))
  .map((name) => join(samples, name));
const tested = join(samples, 'bsdata-pitting-p00.jpg');

let folder: string;
let served: Served | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crane-kept-'));
});
afterEach(async () => {
  if (served) await stop(served);
  served = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const start = async (...more: string[]) => {
  served = await serve(['--data-folder', join(folder, 'kept'), ...more]);
};
function add(name: string, turns: number): Promise<{ status: number }> {
  const form = new FormData();
  form.append('name', name);
  form.append('turns', String(turns));
  for (const path of good) form.append('picture', new Blob([readFileSync(path)]), path);
  return fetch(`${served!.url}v1/normals`, { method: 'POST', body: form }).then(
    (reply) => reply,
    () => ({ status: 0 }),
  );
}
const kept = () => readdirSync(join(folder, 'kept/normals'));
const score = async (query: string) => {
  const reply = await fetch(`${served!.url}v1/score?${query}`, {
    method: 'POST',
    body: new Uint8Array(readFileSync(tested)),
    headers: { 'content-type': 'image/jpeg' },
  });
  return (await reply.json()) as { score?: number; model?: string; threshold?: number };
};

it('a bank gives the scores and thresholds of the command line', async () => {
  const small = ['--size', '112'];
  await start(...small);
  expect((await add('part', 2)).status).toBe(201);
  const bank = join(folder, 'part.safetensors');
  const learned = await craneNative(['normals', 'learn', ...good, '--turns', '2', '--out', bank, ...small]);
  expect(learned.code).toBe(0);
  const rate = String(1 / (good.length + 1));
  const [line] = lines(
    await craneNative(
      ['score', tested, '--normals', bank, '--false-alarm-rate', rate].concat([
        '--format',
        'jsonl',
        ...small,
      ]),
    ),
  );
  const { score: found, threshold } = await score(`normals=part&falseAlarmRate=${rate}`);
  expect([found, threshold]).toEqual([line!['score'], line!['threshold']]);
  expect(found).toBeGreaterThan(0);
}, 120_000);

it('a killed engine leaves no half of a bank, and a killed service neither', async () => {
  await start();
  const engine = add('part', 64);
  await until(() => kept().length === 1);
  process.kill(served!.enginePid(), 'SIGKILL');
  expect((await engine).status).toBe(503);
  expect(kept()).toEqual([]);
  await until(async () => (await fetch(`${served!.url}readyz`)).status === 200);
  expect((await add('whole', 1)).status).toBe(201);
  const before = await score('normals=whole');

  const service = add('part', 64);
  await until(() => kept().length === 2);
  served!.process.kill('SIGKILL');
  expect((await service).status).toBe(0);
  await served!.ended;
  await start();
  expect(kept()).toEqual(['whole']);
  const { score: after, model } = await score('normals=whole');
  expect([after, model]).toEqual([before.score, before.model]);
}, 180_000);
