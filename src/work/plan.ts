/**
 * How many workers a piece of work needs: the arithmetic of one measured rate, and a simulation of stragglers, kills and retries. The
 * rate is measured; all else is assumed, and every assumption is printed with the plan.
 */
import { SeededGenerator } from '../data/seeded-generator.js';
import { CraneError } from '../errors.js';
import { Heap } from './heap.js';

export interface PlanAssumptions {
  /** pictures of a chunk */
  chunk: number;
  /** seconds from a worker's start to its first picture */
  startSeconds: number;
  /** standard deviation of the logarithm of a chunk's time: 0.1 is about 10 % */
  spread: number;
  /** share of workers that are slow all the time, and how many times slower */
  slowShare: number;
  slowTimes: number;
  /** kills of one worker an hour: spot machines, evictions, faults */
  killsPerHour: number;
  /** seconds until a killed worker's chunk is taken up again, and until a new worker takes its place */
  lockSeconds: number;
  replaceSeconds: number;
  /** share of chunks that fail once for a reason outside, and the pause before their second try */
  failShare: number;
  backoffSeconds: number;
}

export interface PlanRequest {
  pictures: number;
  /** pictures a second of one worker, measured */
  rate: number;
  assumptions: PlanAssumptions;
  seed: number;
}

export interface SimulatedRun {
  seconds: number;
  /** worker-hours that are paid: every worker until the last chunk is done */
  workerHours: number;
  kills: number;
  retries: number;
}

/** What an unknown number of workers would need if nothing ever went wrong. */
export function idealSeconds({ pictures, rate }: PlanRequest, workers: number): number {
  return pictures / (rate * workers);
}

interface Event {
  at: number;
  worker: number;
}

/** Steps that simulations may still take: where workers are killed before they have done one picture, a run never ends. */
interface Budget {
  steps: number;
}

/**
 * @param until seconds: of a run that takes longer only that is told
 * @throws RangeError for no worker; CraneError E_USAGE when it takes more steps than the budget has
 */
export function simulate(
  request: PlanRequest,
  workers: number,
  draw = 0,
  budget: Budget = { steps: k_mostSteps },
  until = Number.POSITIVE_INFINITY,
): SimulatedRun {
  if (!(workers >= 1)) throw new RangeError('at least one worker');
  const { pictures, rate, assumptions: assumed, seed } = request;
  const random = SeededGenerator.of(seed, `plan ${draw}`);
  const uniform = () => 1 - random.float();
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const untilKill = () =>
    assumed.killsPerHour > 0
      ? (-Math.log(uniform()) * 3600) / assumed.killsPerHour
      : Number.POSITIVE_INFINITY;
  const chunks = chunksOf(request);
  const speed = Array.from({ length: workers }, () =>
    uniform() < assumed.slowShare ? 1 / assumed.slowTimes : 1,
  );
  const deaths = Array.from({ length: workers }, () => assumed.startSeconds + untilKill());

  const free = new Heap<Event>((event) => event.at);
  for (let worker = 0; worker < workers; worker++) free.push({ at: assumed.startSeconds, worker });
  /** chunks that come back: when, and the pictures they still lack */
  const back = new Heap<{ at: number; pictures: number; mayFail: boolean }>((each) => each.at);
  let begun = 0;
  let left = chunks;
  let end = 0;
  let kills = 0;
  let retries = 0;
  while (left > 0) {
    if (budget.steps-- <= 0) throw tooManySteps();
    const { at, worker } = free.pop()!;
    if (at > until) return { seconds: at, workerHours: (workers * at) / 3600, kills, retries };
    const returned = back.peek();
    const isBack = returned !== undefined && (returned.at <= at || begun === chunks);
    if (!isBack && begun === chunks) continue;
    const job = isBack
      ? back.pop()!
      : { at: 0, pictures: Math.min(assumed.chunk, pictures - begun++ * assumed.chunk), mayFail: true };
    const start = Math.max(at, job.at);
    const seconds = (job.pictures / (rate * speed[worker]!)) * Math.exp(assumed.spread * normal());
    const death = deaths[worker]!;
    if (start + seconds > death) {
      // What it had done is kept; the rest waits until its silence is noticed.
      kills++;
      const done = Math.max(0, Math.floor(((death - start) / seconds) * job.pictures));
      back.push({ ...job, at: Math.max(start, death) + assumed.lockSeconds, pictures: job.pictures - done });
      const again = Math.max(start, death) + assumed.replaceSeconds + assumed.startSeconds;
      deaths[worker] = again + untilKill();
      free.push({ at: again, worker });
      continue;
    }
    const finished = start + seconds;
    if (job.mayFail && uniform() < assumed.failShare) {
      retries++;
      // Found at its end: the store did not take the part. Rows are kept, one of them is left to do.
      back.push({ at: finished + assumed.backoffSeconds, pictures: 1, mayFail: false });
    } else {
      left--;
      end = Math.max(end, finished);
    }
    free.push({ at: finished, worker });
  }
  return { seconds: end, workerHours: (workers * end) / 3600, kills, retries };
}

export interface Plan {
  workers: number;
  /** if nothing went wrong */
  idealSeconds: number;
  /** of the simulated runs */
  medianSeconds: number;
  slowestSeconds: number;
  workerHours: number;
  kills: number;
  retries: number;
}

/** Runs of each number of workers. */
export const k_draws = 20;
const k_mostWorkers = 100_000;
/** Of all runs of one number of workers: under a minute, and about ten numbers are tried. */
const k_mostSteps = 50_000_000;

/**
 * The fewest workers with which every simulated run ends in time; null: not with any number that was tried.
 * @param mostSteps of all runs of one number of workers
 * @throws CraneError E_USAGE for more chunks, kills and retries than can be simulated
 */
export function planFor(request: PlanRequest, deadlineSeconds: number, mostSteps = k_mostSteps): Plan | null {
  /** undefined: one of them ends too late */
  const runsInTime = (workers: number): SimulatedRun[] | undefined => {
    const budget = { steps: mostSteps };
    const runs: SimulatedRun[] = [];
    while (runs.length < k_draws) {
      const run = simulate(request, workers, runs.length, budget, deadlineSeconds);
      if (run.seconds > deadlineSeconds) return undefined;
      runs.push(run);
    }
    return runs;
  };
  let low = Math.max(1, Math.ceil(idealSeconds(request, 1) / deadlineSeconds));
  if (low > k_mostWorkers) return null;
  // Each chunk is a step at least: told now, not after a minute of them.
  if (chunksOf(request) * k_draws > mostSteps) throw tooManySteps();
  let high = low;
  let runs = runsInTime(high);
  while (runs === undefined) {
    if (high >= k_mostWorkers) return null;
    low = high + 1;
    high = Math.min(k_mostWorkers, Math.ceil(high * 1.5));
    runs = runsInTime(high);
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    const fewer = runsInTime(middle);
    if (fewer === undefined) low = middle + 1;
    else {
      high = middle;
      runs = fewer;
    }
  }
  return describe(request, high, runs);
}

function chunksOf({ pictures, assumptions }: PlanRequest): number {
  return Math.ceil(pictures / assumptions.chunk);
}

function tooManySteps(): CraneError {
  return new CraneError('E_USAGE', 'too many chunks, kills and retries to be simulated', {
    hint: 'larger chunks (--chunk), or assumptions under which workers get on with them',
  });
}

function describe(request: PlanRequest, workers: number, runs: readonly SimulatedRun[]): Plan {
  const seconds = runs.map((run) => run.seconds).sort((a, b) => a - b);
  const mean = (of: (run: SimulatedRun) => number) =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  return {
    workers,
    idealSeconds: idealSeconds(request, workers),
    medianSeconds: seconds[seconds.length >> 1]!,
    slowestSeconds: seconds.at(-1)!,
    workerHours: mean((run) => run.workerHours),
    kills: mean((run) => run.kills),
    retries: mean((run) => run.retries),
  };
}
