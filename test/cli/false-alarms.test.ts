/** The promise of thresholds from a bank alone, held against the built engine over many splits of one set of pictures. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, loadEngine, type NormalBank } from '../../dist/index.js';
import { shuffled } from '../../src/data/sample.js';
import { SeededGenerator } from '../../src/data/seeded-generator.js';
import { makeTinyModel } from './tiny-model.js';

const k_splits = 200;
const k_good = 30;

let scratch: string;
let engine: Engine;
/** each good picture alone, as it takes part in banks, and upright, as it is scored */
let parts: NormalBank[];
let upright: NormalBank[];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane alarms-'));
  engine = await loadEngine({ model: await makeTinyModel(join(scratch, 'model')), startCache: false });
  const side = 64;
  const pictures = Array.from({ length: k_good }, (_, i) => ({
    data: createHash('shake256', { outputLength: side * side * 3 })
      .update(`good ${i}`)
      .digest(),
    width: side,
    height: side,
    channels: 3 as const,
  }));
  parts = await Promise.all(pictures.map((picture) => engine.learnNormals([picture], { turns: 2 })));
  upright = await Promise.all(pictures.map((picture) => engine.learnNormals([picture], { turns: 1 })));
}, 120_000);
afterAll(async () => {
  await engine.dispose();
  await rm(scratch, { recursive: true, force: true });
});

interface Realised {
  /** share of the pictures outside the bank that reach the threshold, mean over the splits and its standard error */
  mean: number;
  error: number;
}

type Rule = readonly [what: 'score' | 'mapMax', thresholdOf: (bank: NormalBank) => Promise<number>];

/** Of each rule, over the same splits. */
async function realised(bankSize: number, rules: readonly Rule[]): Promise<Realised[]> {
  const rates: number[][] = rules.map(() => []);
  for (let split = 0; split < k_splits; split++) {
    const order = shuffled(k_good, SeededGenerator.of(split, 'false alarms'));
    const bank = await engine.mergeNormals(order.slice(0, bankSize).map((i) => parts[i]!));
    const scored = [];
    for (const i of order.slice(bankSize))
      scored.push(await engine.banks.scoreRemembered(upright[i]!, bank, {}));
    for (const [rule, [what, thresholdOf]] of rules.entries()) {
      const threshold = await thresholdOf(bank);
      rates[rule]!.push(scored.filter((one) => one[what] >= threshold).length / scored.length);
    }
    bank.remove();
  }
  return rates.map(meanWithError);
}

function meanWithError(rates: readonly number[]): Realised {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / (rates.length - 1);
  return { mean, error: Math.sqrt(variance / rates.length) };
}

describe('thresholds from a bank alone', () => {
  it.each([
    [4, 0.2],
    [9, 0.1],
    [19, 0.1],
  ])(
    'of %i pictures hold the rate %f, for scores and for map maxima',
    async (bankSize, rate) => {
      const of = async (bank: NormalBank) => engine.settledSettings({ normals: bank, falseAlarmRate: rate });
      // A threshold that lies ranks too low shows in the same figures.
      const wrong = async (bank: NormalBank) => {
        const own = (await engine.banks.ownScores(bank)).map(({ score }) => score).sort((a, b) => a - b);
        return own[Math.ceil((bankSize + 1) * (1 - 2 * rate)) - 2]!;
      };
      const [scores, maxima, planted] = (await realised(bankSize, [
        ['score', async (bank) => (await of(bank)).threshold!],
        ['mapMax', async (bank) => (await of(bank)).mapThreshold!],
        ['score', wrong],
      ])) as [Realised, Realised, Realised];
      for (const { mean, error } of [scores, maxima]) {
        expect(mean).toBeLessThanOrEqual(rate + 3 * error);
        // Nor is the promise kept by calling nothing anomalous.
        expect(mean).toBeGreaterThan(0);
        expect(error).toBeLessThan(rate / 4);
      }
      expect(planted.mean).toBeGreaterThan(rate + 3 * planted.error);
    },
    300_000,
  );
});
