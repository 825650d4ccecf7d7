/**
 * Scores and maps of good pictures, of prompts beside them and of pictures by each other, against the slow version in NumPy and float64.
 * Needs a Python with NumPy: CRANE_NUMPY_PYTHON, or build/triton/bin/python (.ci/run makes it where pip is).
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { craneNative, root, run } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

const python = process.env['CRANE_NUMPY_PYTHON'] ?? join(root, 'build/triton/bin/python');

let scratch: string;
let model: string;
let good: string[];
let part: string;
const at = (...parts: string[]) => join(scratch, ...parts);

async function crane(...args: string[]): Promise<void> {
  const { code, stderr } = await craneNative([...args, '--model', model]);
  expect(code, stderr).toBe(0);
}
const score = (out: string, ...args: string[]) =>
  crane('score', ...args, '--sigma', '0', '--maps', 'npy', '--map-size', 'model', '--out', at(out));
const judge = (...args: string[]) => run(python, [join(root, 'scripts', 'judge-normals.py'), ...args]);
const scored = (out: string) => [at(out, 'results.jsonl'), at(out)];

/** As it is, and with a score that is off by more than is let pass. */
async function expectJudged(kind: string, banks: string[], out: string, ...more: string[]): Promise<void> {
  const [lines, folder] = scored(out);
  const fair = await judge(kind, ...banks, lines!, folder!, ...more);
  expect(fair, fair.stderr).toMatchObject({ code: 0 });
  expect(fair.stdout).toMatch(/score 0\.\d+, off by/);
  const rows = (await readFile(lines!, 'utf8')).trim().split('\n');
  const last = JSON.parse(rows.pop()!);
  const wrong = at(`${out}.jsonl`);
  await writeFile(wrong, [...rows, JSON.stringify({ ...last, score: last.score + 2e-5 })].join('\n'));
  expect(await judge(kind, ...banks, wrong, folder!, ...more)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('differs by more than'),
  });
}

describe.skipIf(!existsSync(python))('the judge in NumPy', () => {
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'crane judged-'));
    model = await makeTinyModel(at('model'));
    const data = await makeNoiseSet(at('noise'), 12);
    good = [0, 2, 4, 6].map((n) => join(data, 'part', 'test', 'good', `${n}.png`));
    part = join(data, 'part', 'test', 'square', '3.png');
    await crane('normals', 'learn', part, '--turns', '1', '--out', at('part.bank'));
  }, 120_000);
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it('finds the scores of a bank', async () => {
    await crane('normals', 'learn', ...good, '--out', at('good.bank'));
    await score('bank', part, '--normals', at('good.bank'));
    await expectJudged('bank', [at('good.bank'), at('part.bank')], 'bank');
  }, 120_000);

  it('finds the scores of prompts and a bank together', async () => {
    await crane('normals', 'learn', ...good, '--evidence', 'both', '--out', at('both.bank'));
    await score('both', part, '--normals', at('both.bank'), '--evidence', 'both');
    await score('prompts', part, ...good, '--evidence', 'prompts', '--allow-equal-scores');
    await expectJudged('both', [at('both.bank'), at('part.bank')], 'both', ...scored('prompts'));
  }, 120_000);

  it('finds the scores of pictures by each other', async () => {
    await crane('normals', 'learn', ...good, part, '--turns', '1', '--out', at('all.bank'));
    for (const [out, sides, share] of [
      ['mutual', '1', '0.3'],
      ['mutual-wide', '1,3', '0.6'],
    ] as const) {
      const how = ['--mutual-neighbourhoods', sides, '--mutual-share', share];
      await score(out, ...good, part, '--mutual', ...how);
      await expectJudged('mutual', [at('all.bank')], out, sides, share);
    }
  }, 120_000);
});
