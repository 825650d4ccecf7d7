/** What speed is measured against. */
import { describe, expect, it } from 'vitest';
import type { PeakRate } from '../../../src/addon/native.js';
import type { Party } from '../../../src/bench/party.js';
import { peakFor, peaksOf } from '../../../src/bench/peaks.js';
import { summarise } from '../../../src/bench/report.js';
import type { Measured } from '../../../src/bench/rounds.js';

const rate = (format: PeakRate['format'], face: string, gflops: number): PeakRate => ({
  format,
  face,
  instruction: face.toUpperCase(),
  operations: gflops * 1e9,
  seconds: 1,
  cpuSeconds: 2,
});
const rounds = [
  [rate('float32', 'avx512', 500), rate('bfloat16', 'amx', 8000), rate('bfloat16', 'avx512bf16', 900)],
  [rate('float32', 'avx512', 540), rate('bfloat16', 'amx', 8100), rate('bfloat16', 'avx512bf16', 1000)],
  [rate('float32', 'avx512', 538), rate('bfloat16', 'amx', 2000), rate('bfloat16', 'avx512bf16', 998)],
];

describe('peaks', () => {
  it('are medians over the rounds, by wall and by processor time', () => {
    expect(peaksOf(rounds).map(({ face, gflops, cpuGflops }) => [face, gflops, cpuGflops])).toEqual([
      ['avx512', 538, 269],
      ['amx', 8000, 4000],
      ['avx512bf16', 998, 499],
    ]);
    expect(peaksOf([])).toEqual([]);
  });

  it('of a precision are those of its fastest instruction', () => {
    expect(peakFor(peaksOf(rounds), 'bfloat16')?.face).toBe('amx');
    expect(peakFor(peaksOf(rounds), 'float32')?.face).toBe('avx512');
    expect(peakFor(peaksOf(rounds), 'float16')).toBeUndefined();
  });
});

describe('shares', () => {
  const party = (name: string, precision: string): Party => ({
    name,
    facts: { title: name, versions: {}, threads: 2, precision, gflop: 8000 },
    run: async () => ({ seconds: 1 }),
    close: async () => {},
  });
  const measured: Measured = {
    gemm: [{ seconds: 1, cpuSeconds: 2 }],
    peaks: rounds,
    samples: new Map(['ours', 'theirs'].map((name) => [name, [{ seconds: 2 }]])),
    failures: new Map(),
    isInterrupted: false,
  };
  const run = (peaks: Measured['peaks']) =>
    summarise(
      { batch: 1, threads: 2, precision: 'bfloat16' },
      [party('ours', 'bfloat16'), party('theirs', 'float32')],
      { ...measured, peaks },
    )!;

  it('are of the peak in the number format of each party, and of the product beside', () => {
    const { p, peak, parties } = run(rounds);
    expect(p).toBe(1);
    expect(peak?.face).toBe('amx');
    expect(parties.map(({ shareOfPeak }) => shareOfPeak)).toEqual([0.5, 4000 / 538]);
    expect(parties[0]!.shareOfProduct).toBeCloseTo(4000 / (2e-9 * 4096 ** 3), 6);
  });

  it('are of the product where no peak was measured', () => {
    const { p, peak, peaks, parties } = run([undefined]);
    expect([peak, peaks]).toEqual([null, []]);
    expect(p).toBeCloseTo(8000 / (2e-9 * 4096 ** 3), 6);
    expect(parties[0]!.shareOfPeak).toBe(parties[0]!.shareOfProduct);
  });
});
