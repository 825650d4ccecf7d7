/** Answers in lines: in the order of their ends, and nothing where nobody reads them. */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CraneError } from '../../../src/errors.js';
import { linesAsDone } from '../../../src/service/routes/result-lines.js';
import type { Scored } from '../../../src/service/supervisor.js';

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(() => {
  process.off('unhandledRejection', note);
});

const named = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `p${at}`, bytes: new Uint8Array(0) }));
const scored = (score: number) => ({ answer: { result: { score }, totalMs: 1 } }) as unknown as Scored;

it('come as the pictures are done, thousands of them', async () => {
  const count = 4096;
  const ends: ((score: number) => void)[] = [];
  const works = named(count).map(
    () => new Promise<Scored>((resolve) => ends.push((score) => resolve(scored(score)))),
  );
  const lines = linesAsDone(named(count), works);
  for (let at = count - 1; at >= 0; at--) {
    ends[at]!(at);
    const line = JSON.parse((await lines.next()).value as string) as object;
    expect(line).toEqual({ input: `p${at}`, index: at, score: at });
  }
  expect((await lines.next()).done).toBe(true);
});

it('are nothing to anybody where the stream was destroyed before the first', async () => {
  const works = [Promise.reject(new CraneError('E_CANCELLED', 'the work was given up'))];
  Readable.from(linesAsDone(named(1), works)).destroy();
  // Rejections that nobody took are told after the promises of a turn.
  await setImmediate();
  await setImmediate();
  expect(unhandled).toEqual([]);
});

it('a picture that fails has its line', async () => {
  const works = [Promise.reject(new CraneError('E_IMAGE_EMPTY', 'no bytes')), Promise.resolve(scored(1))];
  const lines = [];
  for await (const line of linesAsDone(named(2), works)) lines.push(JSON.parse(line) as object);
  expect(lines).toEqual(
    expect.arrayContaining([
      { input: 'p0', index: 0, error: { code: 'E_IMAGE_EMPTY', message: 'no bytes' } },
      { input: 'p1', index: 1, score: 1 },
    ]),
  );
});
