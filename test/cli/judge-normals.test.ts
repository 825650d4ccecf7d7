/**
 * Scores and maps of good pictures, of prompts beside them and of pictures by each other, against the slow version in NumPy and float64.
 * Needs a Python with NumPy: CRANE_NUMPY_PYTHON, or build/triton/bin/python (.ci/run makes it where pip is).
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededGenerator } from '../../src/data/seeded-generator.js';
import { craneNative, root, run } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

const python = process.env['CRANE_NUMPY_PYTHON'] ?? join(root, 'build/triton/bin/python');

let scratch: string;
let model: string;
let good: string[];
let part: string;
const at = (...parts: string[]) => join(scratch, ...parts);

/** A square of noise before white. */
async function writeSquare(path: string, seed: number): Promise<string> {
  const side = 112;
  const data = Buffer.alloc(side * side * 3, 250);
  const random = SeededGenerator.of(seed, 'square');
  for (let y = 40; y < 72; y++)
    for (let x = 40; x < 72; x++) for (let c = 0; c < 3; c++) data[(y * side + x) * 3 + c] = random.below(90);
  await sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toFile(path);
  return path;
}

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

  it('finds what a bank of the foreground leaves out, and its scores', async () => {
    const square = (n: number) => writeSquare(at(`square-${n}.png`), n);
    const squares = [await square(1), await square(2), await square(3)];
    const other = await square(4);
    // Of 4 x 4 patches the border is most.
    const large = ['--size', '112'];
    const learn = (...args: string[]) => crane('normals', 'learn', ...args, ...large);
    await learn(other, '--turns', '1', '--out', at('square.bank'));
    await learn(...squares, good[0]!, '--bank-foreground', '--out', at('shown.bank'));
    await score('shown', other, '--normals', at('shown.bank'), ...large);
    const [line] = (await readFile(at('shown', 'results.jsonl'), 'utf8')).trim().split('\n');
    expect(JSON.parse(line!).backgroundPatches, 'or nothing is judged').toBeGreaterThan(0);
    await expectJudged('foreground', [at('shown.bank'), at('square.bank')], 'shown');
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
