import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { runInProcess } from './run-in-process.js';

let folder: string;
beforeAll(async () => {
  folder = await makeToyFolder();
  await makeToyModel(join(folder, 'toy'));
  await mkdir(join(folder, 'in'));
  await writePicture(join(folder, 'in', 'a.png'), 204);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('watch', () => {
  it('prints each result with its key, and ends when it is told to', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 1500);
    const { code, lines, stderr } = await runInProcess(
      ['watch', join(folder, 'in'), '--model', join(folder, 'toy'), '--settle-ms', '50', '--regions'],
      { stop: stop.signal },
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('watching')]);
    expect(lines()).toMatchObject([
      { key: expect.stringMatching(/^[0-9a-f]{64}:toy@/), input: 'a.png', regions: [{ x: 0 }] },
    ]);
  });

  it.each([
    [[], 2, 'name the folder that is watched'],
    [['nowhere'], 3, 'there is no such folder'],
    [['IN', '--webhook', 'ftp://a'], 2, 'ftp://a: expected http://HOST or https://HOST'],
    [['IN', '--webhook', 'http://'], 2, 'http://: expected http://HOST'],
    [['IN', '--webhook', 'ftp://me:secret@a/b'], 2, 'ftp://a/b: expected http://HOST'],
    [['IN', '--webhook', 'http://me:50%@a'], 2, 'its name or password is not well formed'],
    [['IN', '--mqtt', 'http://me:secret@a'], 2, 'http://a/: expected mqtt://HOST or mqtts://HOST'],
    [['IN', '--webhook-secret', 'x'], 2, 'says nothing without --webhook'],
    [['IN', '--mqtt-topic', 'parts'], 2, 'says nothing without --mqtt'],
    [['IN', '--webhook', 'http://a', '--webhook-secret', 'nowhere'], 5, 'the secret cannot be read'],
    [['IN', '--mqtt', 'http://a'], 2, 'expected mqtt://HOST'],
    [['IN', '--settle-ms', 'soon'], 2, 'Expected a whole number'],
    [['IN', '--model', 'none'], 4, 'no model is called "none"'],
  ])('%j is refused', async (args, code, message) => {
    const given = args.map((arg) => (arg === 'IN' ? join(folder, 'in') : arg));
    const run = await runInProcess(['watch', ...given]);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(message);
  });

  it('says that results of its state were judged by another threshold', async () => {
    const picture = join(folder, 'in', 'a.png');
    const args = ['--model', join(folder, 'toy')];
    const model = (await runInProcess(['score', picture, ...args])).lines()[0]!['model'];
    const state = join(folder, 'judged');
    const results = [0.25, 0.5, 0.25, undefined].map((threshold, at) => ({
      result: { key: `${at}:${model}`, threshold },
    }));
    const other = { result: { key: '9:other@1', threshold: 0.25 } };
    await writeFile(state, [...results, other].map((line) => `${JSON.stringify(line)}\n`).join(''));
    const stop = AbortSignal.abort();
    const run = await runInProcess(['watch', join(folder, 'in'), '--state', state, ...args], { stop });
    expect(run.code).toBe(0);
    expect(run.stderr.match(/^.*judged by.*$/gm)).toEqual([
      '2 results of --state were judged by threshold 0.25, now it is threshold 0.5: what has its result is not judged again',
    ]);
  });

  it('refuses a state that is none', async () => {
    const state = join(folder, 'state');
    await writeFile(state, 'x\n');
    const run = await runInProcess(['watch', join(folder, 'in'), '--state', state]);
    expect([run.code, run.stderr]).toEqual([5, expect.stringContaining('is none of a watch')]);
  });
});
