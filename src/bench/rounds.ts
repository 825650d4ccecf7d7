/**
 * The measuring itself. In every round each party works on one batch, one after the other, with the machine's matrix
 * product and the CPU's own peak among them: what disturbs the machine for a while then disturbs all of them. The order moves on by one each
 * round, so that nobody always works after the same neighbour.
 */
import type { PeakRate } from '../addon/native.js';
import { type CraneError, toCraneError } from '../errors.js';
import type { GemmTime } from './gemm.js';
import type { Party, Sample } from './party.js';

export interface RoundsPlan {
  /** ours first */
  parties: readonly Party[];
  gemm: () => Promise<GemmTime>;
  /** absent: on a GPU, whose limit is another */
  peaks?: (() => Promise<PeakRate[]>) | undefined;
  batch: number;
  rounds: number;
  warmup: number;
  /** no round begins after it; at least one is measured */
  limitSeconds: number | undefined;
  stop: AbortSignal;
  /** called before each piece of work */
  onStep: (step: { round: number; name: string; isWarmup: boolean }) => void;
  /** a peer is out; the others go on */
  onFailure: (name: string, error: CraneError) => void;
}

export interface Measured {
  /** by round; a round that was interrupted lacks some */
  gemm: (GemmTime | undefined)[];
  peaks: (PeakRate[] | undefined)[];
  samples: Map<string, (Sample | undefined)[]>;
  failures: Map<string, CraneError>;
  isInterrupted: boolean;
}

/** @throws CraneError when our own party fails: without it there is nothing to compare */
export async function runRounds(plan: RoundsPlan): Promise<Measured> {
  const measured: Measured = {
    gemm: [],
    peaks: [],
    samples: new Map(plan.parties.map(({ name }) => [name, []])),
    failures: new Map(),
    isInterrupted: false,
  };
  const started = performance.now();
  for (let round = -plan.warmup; round < plan.rounds; round++) {
    const isOver = (performance.now() - started) / 1000 > (plan.limitSeconds ?? Number.POSITIVE_INFINITY);
    if (round > 0 && isOver) break;
    await oneRound(plan, round, measured);
    if (measured.isInterrupted) break;
  }
  return measured;
}

async function oneRound(plan: RoundsPlan, round: number, measured: Measured): Promise<void> {
  const steps = [undefined, ...plan.parties];
  const isWarmup = round < 0;
  for (let at = 0; at < steps.length; at++) {
    if (plan.stop.aborted) {
      measured.isInterrupted = true;
      return;
    }
    const party = steps[(at + Math.max(0, round)) % steps.length];
    if (party === undefined) {
      plan.onStep({ round, name: 'matrix product', isWarmup });
      const time = await plan.gemm();
      const peaks = await plan.peaks?.();
      if (!isWarmup) {
        measured.gemm[round] = time;
        measured.peaks[round] = peaks;
      }
    } else if (!measured.failures.has(party.name)) {
      plan.onStep({ round, name: party.name, isWarmup });
      const sample = await attempt(plan, party, measured);
      if (sample && !isWarmup) measured.samples.get(party.name)![round] = sample;
    }
  }
}

async function attempt(plan: RoundsPlan, party: Party, measured: Measured): Promise<Sample | undefined> {
  try {
    return await party.run(plan.batch, plan.stop);
  } catch (thrown) {
    const error = toCraneError(thrown);
    if (error.code === 'E_CANCELLED' && plan.stop.aborted) {
      measured.isInterrupted = true;
      return undefined;
    }
    if (party === plan.parties[0]) throw error;
    measured.failures.set(party.name, error);
    plan.onFailure(party.name, error);
    await party.close();
    return undefined;
  }
}
