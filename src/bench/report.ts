/** What a run of bench leaves: every sample, and the figures made from them. */
import type { Timings } from '../engine/result.js';
import type { ErrorCode } from '../errors.js';
import { type GemmTime, gemmRate, gemmSize } from './gemm.js';
import type { TimedMachine } from './machine.js';
import type { WorkPart } from './operations.js';
import type { Party, PartyFacts, Sample } from './party.js';
import { type Peak, peakFor, peaksOf } from './peaks.js';
import type { Measured } from './rounds.js';
import { median, pairedRatio } from './statistics.js';

export interface BenchReport {
  /** of this form */
  format: 2;
  date: string;
  command: string;
  machine: TimedMachine;
  engine: { version: string; libtorch: string; isa: string; kernels: string; device: string };
  model: {
    name: string;
    method: string;
    synthetic: boolean;
    input: { width: number; height: number };
    parameters: number;
  };
  work: { gflop: number; parts: WorkPart[] };
  settings: { rounds: number; warmup: number; seconds: number | null };
  runs: BenchRun[];
  /** peers that could not be opened, or failed later */
  failures: Failure[];
  interrupted: boolean;
}

export interface Failure {
  name: string;
  threads: number;
  code: ErrorCode;
  message: string;
  hint?: string;
}

/** One batch size at one number of threads. */
export interface BenchRun {
  threads: number;
  batch: number;
  gemm: {
    size: number;
    precision: string;
    /** GFLOP/s by wall time, and by processor time of all threads */
    gflops: number;
    cpuGflops: number | null;
    samples: GemmTime[];
  };
  /** of every instruction that multiplies and adds on this CPU; none on a GPU */
  peaks: Peak[];
  /** the one that the engine's precision is measured against; null: there is none, and the matrix products stand for it */
  peak: Peak | null;
  /** seconds of one picture's operations at that rate; null: none was timed */
  p: number | null;
  /** ours first */
  parties: PartyFigures[];
}

export interface PartyFigures extends PartyFacts {
  name: string;
  rounds: number;
  /** of one picture */
  secondsPerPicture: { median: number; min: number; max: number };
  /** processor time of all threads; null: it does not say */
  cpuSecondsPerPicture: number | null;
  picturesPerSecond: number;
  /** rate of its operations over the peak of its number format; null: not counted */
  shareOfPeak: number | null;
  /** the same over libtorch's matrix products */
  shareOfProduct: number | null;
  /** the same by processor time */
  cpuShareOfPeak: number | null;
  /** our time over its time, median over the rounds; null for ourselves */
  ratio: number | null;
  /** the same of the processor times: tells more where other programs were running */
  cpuRatio: number | null;
  /** medians, milliseconds of one picture */
  stages: Timings | null;
  peakBytes: number | null;
  residentBytes: number | null;
  /** of every round; null: it has none of this round */
  samples: (Sample | null)[];
}

/** undefined: ours has not worked once. */
export function summarise(
  { batch, threads, precision }: { batch: number; threads: number; precision: string },
  parties: readonly Party[],
  measured: Measured,
): BenchRun | undefined {
  const own = parties[0]!;
  const ours = Array.from(measured.samples.get(own.name)!);
  if (present(ours).length === 0) return undefined;
  const products = present(measured.gemm);
  const gflops = gemmRate(median(products.map(({ seconds }) => seconds)));
  const cpuGflops = gemmRate(median(present(products.map(({ cpuSeconds }) => cpuSeconds))));
  const peaks = peaksOf(present(measured.peaks));
  // of the engine, not of the product: libtorch has none in int8
  const peak = peakFor(peaks, own.facts.precision);
  const limit = peak ?? { gflops, cpuGflops };
  const worked = parties.filter(({ name }) => present(measured.samples.get(name)!).length > 0);
  return {
    threads,
    batch,
    gemm: { size: gemmSize, precision, gflops, cpuGflops: orNull(cpuGflops), samples: products },
    peaks,
    peak: peak ?? null,
    p: orNull((own.facts.gflop ?? Number.NaN) / limit.gflops),
    parties: worked.map((party) =>
      figuresOf(party, batch, measured.samples.get(party.name)!, {
        ours: party === own ? undefined : ours,
        limit: peakFor(peaks, party.facts.precision) ?? limit,
        product: gflops,
      }),
    ),
  };
}

function figuresOf(
  { name, facts }: Party,
  batch: number,
  samples: readonly (Sample | undefined)[],
  {
    ours,
    limit,
    product,
  }: {
    ours: (Sample | undefined)[] | undefined;
    limit: { gflops: number; cpuGflops: number };
    product: number;
  },
): PartyFigures {
  const done = present(samples);
  const each = done.map(({ seconds }) => seconds / batch);
  const middle = median(each);
  const cpuMiddle = median(present(done.map(({ cpuSeconds }) => cpuSeconds))) / batch;
  const gflop = facts.gflop ?? Number.NaN;
  const ratioOf = (figure: 'seconds' | 'cpuSeconds') =>
    ours === undefined
      ? null
      : orNull(
          pairedRatio(
            ours.map((own) => own?.[figure]),
            Array.from(samples, (its) => its?.[figure]),
          ),
        );
  return {
    name,
    ...facts,
    rounds: done.length,
    secondsPerPicture: { median: middle, min: Math.min(...each), max: Math.max(...each) },
    cpuSecondsPerPicture: orNull(cpuMiddle),
    picturesPerSecond: 1 / middle,
    shareOfPeak: orNull(gflop / middle / limit.gflops),
    shareOfProduct: orNull(gflop / middle / product),
    cpuShareOfPeak: orNull(gflop / cpuMiddle / limit.cpuGflops),
    ratio: ratioOf('seconds'),
    cpuRatio: ratioOf('cpuSeconds'),
    stages: stagesOf(present(done.map(({ stages }) => stages))),
    peakBytes: largest(present(done.map(({ peakBytes }) => peakBytes))),
    residentBytes: present(done.map(({ residentBytes }) => residentBytes)).at(-1) ?? null,
    samples: Array.from(samples, (sample) => sample ?? null),
  };
}

function stagesOf(all: readonly Timings[]): Timings | null {
  if (all.length === 0) return null;
  const middle = (stage: keyof Timings) => median(all.map((ms) => ms[stage]));
  return {
    decode: middle('decode'),
    preprocess: middle('preprocess'),
    forward: middle('forward'),
    postprocess: middle('postprocess'),
  };
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value): value is T => value !== undefined);
}

function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
