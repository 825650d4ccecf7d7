/** The examples, run as they are: `crane-native` is this package by its own name. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { root, run, samples } from './crane-native.js';

const example = (name: string) => join(root, 'examples', `${name}.mjs`);
const good = join(samples, 'bsdata-good-g00.jpg');
const bad = join(samples, 'bsdata-pitting-p00.jpg');
const linesOf = (stdout: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Starts a server, asks it, ends it as its operator would. */
async function served(name: string, ask: (url: string) => Promise<void>): Promise<number | null> {
  const child = spawn(process.execPath, [example(name)], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (text: Buffer) => resolve(String(text).trim()));
      void ended.then((code) => reject(new Error(`${name} ended with ${code}`)));
    });
    await ask(url);
  } finally {
    child.kill('SIGTERM');
  }
  return ended;
}
const post = async (url: string, body: Uint8Array, type = 'image/jpeg') => {
  const reply = await fetch(url, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': type, connection: 'close' },
  });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
};

it('fastify: scores, tells faults with their status, ends when it is told to', async () => {
  const code = await served('fastify', async (url) => {
    expect(await post(`${url}/score`, readFileSync(bad))).toMatchObject({
      status: 200,
      body: { score: expect.closeTo(0.9795, 3), regions: [{}] },
    });
    const fault = await post(`${url}/score`, Buffer.from('nothing'));
    expect([fault.status, fault.body['code']]).toEqual([400, 'E_IMAGE_DECODE']);
    expect((await post(`${url}/score`, Buffer.from('x'), 'text/x')).status).toBe(415);
  });
  expect(code).toBe(0);
}, 90_000);

it('cluster: two processes answer on one port', async () => {
  const code = await served('cluster', async (url) => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(url, readFileSync(bad))));
    for (const { status, body } of answers)
      expect([status, body['score']]).toEqual([200, expect.closeTo(0.9795, 3)]);
    expect(new Set(answers.map(({ body }) => body['process'])).size).toBe(2);
  });
  expect(code).toBe(0);
}, 120_000);

it('worker-threads: results come to the main thread, and the process ends by itself', async () => {
  const { code, stdout, stderr } = await run(process.execPath, [example('worker-threads'), good, bad]);
  expect(code, stderr).toBe(0);
  expect(linesOf(stdout)).toMatchObject([
    { input: good, index: 0 },
    { input: bad, index: 1, score: expect.closeTo(0.9795, 3) },
  ]);
}, 90_000);

it('million-paths: a line for each path, faults included', async () => {
  const stdin = `${good}\n/nowhere.png\n${bad}\n`;
  const { code, stdout, stderr } = await run(process.execPath, [example('million-paths')], { stdin });
  expect(code, stderr).toBe(0);
  const lines = linesOf(stdout);
  expect(lines.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
  expect(lines.find(({ index }) => index === 1)).toMatchObject({ error: { code: 'E_INPUT_NOT_FOUND' } });
}, 90_000);

it('video-frames: a line for each frame, and a rest is a fault', async () => {
  const raw = async (path: string) => sharp(path).removeAlpha().toColourspace('srgb').raw().toBuffer();
  const film = Buffer.concat([await raw(good), await raw(bad)]);
  const args = [example('video-frames'), '448', '448'];
  const { code, stdout, stderr } = await run(process.execPath, args, { stdin: film });
  expect(code, stderr).toBe(0);
  expect(linesOf(stdout)).toMatchObject([
    { input: 'frame 0', width: 448, height: 448 },
    { input: 'frame 1', score: expect.closeTo(0.9795, 3) },
  ]);
  const cut = await run(process.execPath, args, { stdin: film.subarray(0, film.length - 1) });
  expect(cut.code).not.toBe(0);
  expect(linesOf(cut.stdout)).toHaveLength(1);
  expect(cut.stderr).toContain('is it 448 x 448?');
}, 120_000);
