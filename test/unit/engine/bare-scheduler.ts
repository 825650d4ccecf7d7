/** A scheduler over an engine that knows its pictures by name only: what happens to each is written down. */
import type { CancelFlag, MethodOptions, ScoreRequest, ScoreResult } from '../../../src/addon/native.js';
import { throwIfCancelled } from '../../../src/cancellation.js';
import type { PictureItem } from '../../../src/engine/picture-item.js';
import type { UnplacedScore } from '../../../src/engine/picture-scorer.js';
import { Scheduler, type SchedulerLimits } from '../../../src/engine/scheduler.js';
import type { Job, Preparing, ReadyPicture } from '../../../src/engine/scheduler-job.js';
import type { CraneError } from '../../../src/errors.js';
import { ByteBudget } from '../../../src/images/byte-budget.js';
import type { EngineWarning } from '../../../src/options/types.js';

export interface BareBehaviour {
  limits?: Partial<SchedulerLimits>;
  maxBytes?: number;
  /** runs before a pass gives its results; throws for one that cannot be run */
  pass?: (names: string[], flag: { isCancelled: boolean }) => void | Promise<void>;
  prepare?: (name: string, means: Preparing) => void | Promise<void>;
  conclude?: (name: string) => void | Promise<void>;
}

class Flag implements CancelFlag {
  viewsDone = 0;
  isCancelled = false;
  cancel() {
    this.isCancelled = true;
  }
}

export const k_bytes = 10;

export function makeBareScheduler(behaviour: BareBehaviour = {}) {
  const log: string[] = [];
  const passes: { names: string[]; method: MethodOptions }[] = [];
  const warnings: EngineWarning[] = [];
  const budget = new ByteBudget(behaviour.maxBytes ?? 1e6);
  const running = { now: 0, most: 0 };
  const nameOf = (request: ScoreRequest) => (request as unknown as { name: string }).name;
  const score = async (requests: ScoreRequest[], method: MethodOptions, flag?: CancelFlag) => {
    const names = requests.map(nameOf);
    passes.push({ names, method });
    log.push(`scored ${names.join('+')}`);
    running.most = Math.max(running.most, ++running.now);
    try {
      await behaviour.pass?.(names, flag as Flag);
      if ((flag as Flag).isCancelled) throw Object.assign(new Error('cancelled'), { code: 'E_CANCELLED' });
      return requests.map((request) => ({ score: scoreOf(nameOf(request)) }) as ScoreResult);
    } finally {
      running.now--;
    }
  };
  const scheduler = new Scheduler({
    addon: { createCancelFlag: () => new Flag() },
    engine: { score, scorePreprocessed: () => Promise.reject(new Error('no tensors here')) },
    budget,
    limits: { maxBatch: 8, maxWaitMs: 0, maxQueue: 1000, lanes: 1, ...behaviour.limits },
    warn: (warning) => warnings.push(warning),
  });
  const prepare = async (name: string, means: Preparing): Promise<ReadyPicture<UnplacedScore>> => {
    throwIfCancelled(means.signal);
    await means.ticket.take(k_bytes);
    await behaviour.prepare?.(name, means);
    log.push(`prepared ${name}`);
    return {
      request: { name } as unknown as ScoreRequest,
      conclude: async (result) => {
        await behaviour.conclude?.(name);
        return { input: name, score: result.score } as UnplacedScore;
      },
      release: () => void log.push(`released ${name}`),
    };
  };
  const jobOf = (names: string[], parts: Partial<Job<UnplacedScore>> = {}): Job<UnplacedScore> => ({
    pictures: names.map((name) => (means) => prepare(name, means)),
    method: methodOf(1),
    couplesPictures: false,
    isCall: parts.sharesPass ?? true,
    sharesPass: true,
    priority: 0,
    deadline: undefined,
    signal: undefined,
    ...parts,
  });
  /** One picture by itself: its score, or the code of what it failed with. */
  const call = async (name: string, parts: Partial<Job<UnplacedScore>> = {}): Promise<number | string> => {
    try {
      const [outcome] = await scheduler.submit(jobOf([name], parts));
      return 'error' in outcome! ? outcome.error.code : outcome!.score.score;
    } catch (thrown) {
      return (thrown as CraneError).code;
    }
  };
  return {
    scheduler,
    budget,
    log,
    passes,
    warnings,
    running,
    jobOf,
    call,
    prepareItem: ({ name }: PictureItem, means: Preparing) => prepare(name!, means),
  };
}

export function methodOf(sigma: number): MethodOptions {
  return { sigma } as MethodOptions;
}

/** What the engine gives for a picture of this name. */
export function scoreOf(name: string): number {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) % 1009;
  return hash / 1009;
}

export function memoryError(): Error {
  return Object.assign(new Error("can't allocate memory"), { code: 'E_MEMORY' });
}
