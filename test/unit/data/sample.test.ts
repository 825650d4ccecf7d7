import { describe, expect, it } from 'vitest';
import { sampleKShot, samplePortion, shuffled } from '../../../src/data/sample.js';
import { type GeneratorState, SeededGenerator } from '../../../src/data/seeded-generator.js';

interface Labelled {
  className: string;
  isAnomalous: boolean;
  id: number;
}

function pictures(counts: Record<string, [normal: number, anomalous: number]>): Labelled[] {
  let id = 0;
  return Object.entries(counts).flatMap(([className, both]) =>
    both.flatMap((count, label) =>
      Array.from({ length: count }, () => ({ className, isAnomalous: label === 1, id: id++ })),
    ),
  );
}

const countsOf = (items: readonly Labelled[], className: string) => {
  const own = items.filter((item) => item.className === className);
  const anomalous = own.filter((item) => item.isAnomalous).length;
  return [own.length - anomalous, anomalous];
};

describe('the seeded generator', () => {
  it('is xoshiro128** 1.1', () => {
    // From the state 1, 2, 3, 4; computed a second time with whole numbers of any size.
    const generator = SeededGenerator.resume([1, 2, 3, 4]);
    expect(Array.from({ length: 10 }, () => generator.next())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('starts from fixed states', () => {
    const states = [
      SeededGenerator.of(0).state,
      SeededGenerator.of(111).state,
      SeededGenerator.of(2 ** 32).state,
      SeededGenerator.of(111, 'ä').state,
    ];
    expect(states).toMatchInlineSnapshot(`
      [
        [
          2337197272,
          3909548888,
          1540911526,
          205794185,
        ],
        [
          1919751493,
          340700169,
          2774071773,
          1100167789,
        ],
        [
          3627649145,
          2918131011,
          266704946,
          2133261597,
        ],
        [
          734563611,
          3944227521,
          4237533517,
          1301031858,
        ],
      ]
    `);
    expect(new Set(states.flat()).size).toBe(16);
  });

  it('goes on from its state, also through JSON', () => {
    const generator = SeededGenerator.of(7);
    for (let drawn = 0; drawn < 5; drawn++) generator.next();
    const resumed = SeededGenerator.resume(JSON.parse(JSON.stringify(generator.state)) as GeneratorState);
    expect(Array.from({ length: 4 }, () => resumed.float())).toEqual(
      Array.from({ length: 4 }, () => generator.float()),
    );
  });

  it('draws every number below n about equally often', () => {
    const generator = SeededGenerator.of(3);
    const hits = new Array<number>(6).fill(0);
    for (let drawn = 0; drawn < 60_000; drawn++) hits[generator.below(6)]!++;
    // Standard deviation about 91.
    for (const hit of hits) expect(Math.abs(hit - 10_000)).toBeLessThan(500);
  });

  it('does not favour small numbers where n does not divide 2^32', () => {
    // Of three quarters of 2^32 every third draw is thrown away; without that the lower third had half of all.
    const n = 3 * 2 ** 30;
    const generator = SeededGenerator.of(4);
    let lower = 0;
    for (let drawn = 0; drawn < 30_000; drawn++) if (generator.below(n) < 2 ** 30) lower++;
    expect(Math.abs(lower - 10_000)).toBeLessThan(500);
  });

  it('gives fractions from 0 to below 1', () => {
    const generator = SeededGenerator.of(5);
    const values = Array.from({ length: 20_000 }, () => generator.float());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(values.reduce((sum, value) => sum + value) / values.length).toBeCloseTo(0.5, 1);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => SeededGenerator.of(seed)).toThrowError(expect.objectContaining({ code: 'E_USAGE' }));
  });

  it.each([[[0, 0, 0, 0]], [[1, 2, 3]], [[1, 2, 3, 2 ** 32]], [[1, 2, 3, 0.5]], ['1234']])(
    'refuses the state %j',
    (state) => {
      expect(() => SeededGenerator.resume(state as unknown as GeneratorState)).toThrow();
    },
  );

  it.each([0, 1.5, 2 ** 32 + 1])('refuses to draw below %d', (n) => {
    expect(() => SeededGenerator.of(1).below(n)).toThrow();
  });
});

describe('shuffled', () => {
  it('is a permutation, the same for the same seed', () => {
    const order = shuffled(100, SeededGenerator.of(1));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(shuffled(100, SeededGenerator.of(1))).toEqual(order);
    expect(shuffled(100, SeededGenerator.of(2))).not.toEqual(order);
    expect(shuffled(0, SeededGenerator.of(1))).toEqual([]);
  });

  it('reaches every order about equally often', () => {
    const generator = SeededGenerator.of(9);
    const seen = new Map<string, number>();
    for (let drawn = 0; drawn < 6000; drawn++) {
      const order = shuffled(3, generator).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const hits of seen.values()) expect(Math.abs(hits - 1000)).toBeLessThan(200);
  });
});

describe('a portion', () => {
  const items = pictures({ cap: [100, 40], ring: [3, 1], rod: [0, 7] });

  it('takes the fraction of each class and label, at least one where there are any', () => {
    const taken = samplePortion(items, 0.1, 1);
    expect(['cap', 'ring', 'rod'].map((name) => countsOf(taken, name))).toEqual([
      [10, 4],
      [1, 1],
      [0, 1],
    ]);
  });

  it('keeps the order, is seeded, and of 1 is everything', () => {
    const taken = samplePortion(items, 0.5, 1);
    expect(taken).toEqual([...taken].sort((a, b) => a.id - b.id));
    expect(samplePortion(items, 0.5, 1)).toEqual(taken);
    expect(samplePortion(items, 0.5, 2)).not.toEqual(taken);
    expect(samplePortion(items, 1, 1)).toEqual(items);
  });

  it('of a class does not depend on the other classes', () => {
    const alone = items.filter(({ className }) => className === 'rod');
    expect(samplePortion(alone, 0.5, 1)).toEqual(
      samplePortion(items, 0.5, 1).filter(({ className }) => className === 'rod'),
    );
  });

  it.each([0, -0.1, 1.01, Number.NaN])('of %d is refused', (portion) => {
    expect(() => samplePortion(items, portion, 1)).toThrowError(expect.objectContaining({ code: 'E_USAGE' }));
  });
});

describe('k-shot', () => {
  it.each([
    [1, [0, 1]],
    [4, [2, 2]],
    [5, [2, 3]],
  ])('of %i takes %j of each class', (k, counts) => {
    const { items, warnings } = sampleKShot(pictures({ cap: [9, 9], ring: [9, 9] }), k, 1);
    expect([countsOf(items, 'cap'), countsOf(items, 'ring')]).toEqual([counts, counts]);
    expect(warnings).toEqual([]);
  });

  it('says where a class has fewer, and does not fill up from the other label', () => {
    const { items, warnings } = sampleKShot(pictures({ cap: [9, 1], ring: [0, 9] }), 6, 1);
    expect([countsOf(items, 'cap'), countsOf(items, 'ring')]).toEqual([
      [3, 1],
      [0, 3],
    ]);
    expect(warnings).toEqual([
      'class cap has 1 anomalous pictures, 3 were wanted',
      'class ring has 0 normal pictures, 3 were wanted',
    ]);
  });

  it.each([0, 1.5, -2])('of %d is refused', (k) => {
    expect(() => sampleKShot([], k, 1)).toThrow();
  });
});
