/**
 * Which of the waiting jobs make the next pass.
 *
 * Every job has a rank: the time of its arrival, less ten seconds for each step of priority. The lowest rank goes first. So
 * a higher priority overtakes whatever came before it, but a job that waits is overtaken only by what comes within the
 * next ten seconds per step: nothing waits for ever. Between single calls and whole units of equal priority turns
 * decide instead, so that many of one kind do not keep the other waiting.
 */

/** How much waiting one step of priority is worth. */
const k_agePerStepMs = 10_000;

export function rankOf(arrived: number, priority: number): number {
  return arrived - priority * k_agePerStepMs;
}

export interface Waiting {
  rank: number;
  priority: number;
  sharesPass: boolean;
  /** never in one pass with other jobs */
  couplesPictures: boolean;
  methodKey: string;
  /** pictures of it that would be in the pass */
  size: number;
  /** since when it could be in a pass */
  readyAt: number;
}

export interface Turn {
  now: number;
  isTurnOfCalls: boolean;
  maxBatch: number;
  /** how long a single call waits for others */
  maxWaitMs: number;
}

/** The jobs of the next pass; none where nothing waits, or where calls wait for others, `waitMs` longer. */
export interface Choice<T extends Waiting> {
  pass: T[];
  waitMs?: number;
}

export function choosePass<T extends Waiting>(waiting: readonly T[], turn: Turn): Choice<T> {
  const inOrder = [...waiting].sort((a, b) => a.rank - b.rank);
  const call = inOrder.find(({ sharesPass }) => sharesPass);
  const unit = inOrder.find(({ sharesPass }) => !sharesPass);
  if (unit && (!call || goesFirst(unit, call, turn))) return { pass: [unit] };
  if (!call) return { pass: [] };
  const calls = sharedPass(call, inOrder, turn);
  return calls.pass.length === 0 && unit ? { pass: [unit] } : calls;
}

function goesFirst(unit: Waiting, call: Waiting, { isTurnOfCalls }: Turn): boolean {
  return unit.priority === call.priority ? !isTurnOfCalls : unit.rank < call.rank;
}

/** The first call and those after it with the same settings that still fit. */
function sharedPass<T extends Waiting>(first: T, inOrder: readonly T[], turn: Turn): Choice<T> {
  if (first.couplesPictures) return { pass: [first] };
  const pass: T[] = [];
  let size = 0;
  for (const call of inOrder) {
    if (!call.sharesPass || call.couplesPictures || call.methodKey !== first.methodKey) continue;
    if (pass.length > 0 && size + call.size > turn.maxBatch) break;
    pass.push(call);
    size += call.size;
  }
  const waitMs = Math.min(...pass.map(({ readyAt }) => readyAt)) + turn.maxWaitMs - turn.now;
  return size >= turn.maxBatch || waitMs <= 0 ? { pass } : { pass: [], waitMs };
}
