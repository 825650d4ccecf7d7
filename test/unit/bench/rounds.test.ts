import { describe, expect, it } from 'vitest';
import type { Party, Sample } from '../../../src/bench/party.js';
import { summarise } from '../../../src/bench/report.js';
import { type RoundsPlan, runRounds } from '../../../src/bench/rounds.js';
import { median, pairedRatio } from '../../../src/bench/statistics.js';
import { CraneError } from '../../../src/errors.js';

/** Writes into a diary who worked; `seconds` says what each of its batches took, warm-up first. */
function makeParty(name: string, diary: string[], seconds: number[] = [], gflop?: number): Party {
  let runs = 0;
  return {
    name,
    facts: {
      title: name,
      versions: {},
      threads: 1,
      precision: 'float32',
      ...(gflop === undefined ? {} : { gflop }),
    },
    async run(batch, stop): Promise<Sample> {
      diary.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (stop.aborted) throw new CraneError('E_CANCELLED', 'interrupted');
      diary.push(name);
      const sample = seconds[runs++] ?? 1;
      if (!(sample > 0)) throw new CraneError('E_BENCH_PEER', `${name} broke`);
      return { seconds: sample * batch };
    },
    close: async () => void diary.push(`${name} closed`),
  };
}

function makePlan(parties: Party[], more: Partial<RoundsPlan> = {}, diary: string[] = []): RoundsPlan {
  return {
    parties,
    gemm: async () => {
      diary.push('gemm');
      return { seconds: 1, cpuSeconds: 2 };
    },
    batch: 1,
    rounds: 3,
    warmup: 1,
    limitSeconds: undefined,
    stop: new AbortController().signal,
    onStep: () => {},
    onFailure: () => {},
    ...more,
  };
}
const workers = (diary: string[]) => diary.filter((entry) => !/ /.test(entry));

describe('rounds', () => {
  it('everybody works once a round, one at a time, beginning with another each round', async () => {
    const diary: string[] = [];
    const parties = ['ours', 'a', 'b'].map((name) => makeParty(name, diary));
    await runRounds(makePlan(parties, {}, diary));
    expect(workers(diary)).toEqual([
      ...['gemm', 'ours', 'a', 'b'],
      ...['gemm', 'ours', 'a', 'b'],
      ...['ours', 'a', 'b', 'gemm'],
      ...['a', 'b', 'gemm', 'ours'],
    ]);
    const begun = diary.flatMap((entry, at) => (entry.endsWith('begins') ? [[entry, diary[at + 1]]] : []));
    for (const [entry, next] of begun) expect(entry).toBe(`${next} begins`);
  });

  it('the warm-up is not counted', async () => {
    const ours = makeParty('ours', [], [100, 1, 2, 3]);
    const { samples } = await runRounds(makePlan([ours]));
    expect(samples.get('ours')!.map((sample) => sample!.seconds)).toEqual([1, 2, 3]);
  });

  it('a limit of time ends them after a round, and never before the first', async () => {
    const { samples } = await runRounds(makePlan([makeParty('ours', [])], { limitSeconds: 1e-9 }));
    expect(samples.get('ours')).toHaveLength(1);
  });

  it('a peer that fails is closed, left out and told; the others go on', async () => {
    const diary: string[] = [];
    const told: string[] = [];
    const parties = [
      makeParty('ours', diary),
      makeParty('weak', diary, [1, 1, -1]),
      makeParty('other', diary),
    ];
    const measured = await runRounds(
      makePlan(parties, { onFailure: (name, { message }) => told.push(`${name}: ${message}`) }, diary),
    );
    expect(told).toEqual(['weak: weak broke']);
    expect(diary.filter((entry) => entry === 'weak closed')).toHaveLength(1);
    expect(measured.samples.get('weak')).toHaveLength(1);
    for (const name of ['ours', 'other']) expect(measured.samples.get(name)).toHaveLength(3);
  });

  it('our own failure ends the run', async () => {
    await expect(runRounds(makePlan([makeParty('ours', [], [1, -1])]))).rejects.toThrow('ours broke');
  });

  it('an interruption keeps what was measured and begins nothing more', async () => {
    const diary: string[] = [];
    const stop = new AbortController();
    const parties = [makeParty('ours', diary), makeParty('a', diary), makeParty('b', diary)];
    const measured = await runRounds(
      makePlan(
        parties,
        {
          stop: stop.signal,
          onStep: ({ round, name }) => {
            if (round === 1 && name === 'a') stop.abort();
          },
        },
        diary,
      ),
    );
    expect(measured.isInterrupted).toBe(true);
    expect(diary.slice(-2)).toEqual(['ours', 'a begins']);
    expect([...measured.samples].map(([name, samples]) => [name, samples.length])).toEqual([
      ['ours', 2],
      ['a', 1],
      ['b', 1],
    ]);
  });
});

describe('figures', () => {
  it('are medians of a picture, and ratios of the same round', async () => {
    const ours = makeParty('ours', [], [9, 1, 2, 6], 100);
    const peer = makeParty('peer', [], [9, 2, 4, 3], 50);
    const plan = makePlan([ours, peer], { batch: 4 });
    const run = summarise(
      { batch: 4, threads: 1, precision: 'float32' },
      plan.parties,
      await runRounds(plan),
    )!;
    // The product of 4096 x 4096 matrices takes one second: 137.4 GFLOP/s.
    expect(run.gemm.gflops).toBeCloseTo(137.44, 2);
    expect(run.gemm.cpuGflops).toBeCloseTo(68.72, 2);
    expect(run.p).toBeCloseTo(100 / 137.44, 4);
    expect(run.parties[0]).toMatchObject({
      secondsPerPicture: { median: 2, min: 1, max: 6 },
      picturesPerSecond: 0.5,
      ratio: null,
      cpuSecondsPerPicture: null,
      rounds: 3,
    });
    expect(run.parties[0]!.shareOfPeak).toBeCloseTo(100 / 2 / 137.44, 4);
    // 1/2, 2/4, 6/3: not 2/3, the ratio of the medians
    expect(run.parties[1]).toMatchObject({ ratio: 0.5, secondsPerPicture: { median: 3 } });
  });

  it('are none when ours has not worked once', async () => {
    const stop = AbortSignal.abort();
    const plan = makePlan([makeParty('ours', [])], { stop });
    const measured = await runRounds(plan);
    expect(summarise({ batch: 1, threads: 1, precision: 'float32' }, plan.parties, measured)).toBeUndefined();
  });

  it('a median of an even number lies between the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('a ratio takes the rounds that both have', () => {
    expect(pairedRatio([1, undefined, 3], [2, 5])).toBe(0.5);
  });
});
