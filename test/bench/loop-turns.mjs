// How long the JavaScript thread is held at a stretch: processor time of the thread in one turn of its event loop, which other
// work on the machine does not lengthen, and delays of a timer, which it does.
import { closeSync, openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const bytes = Buffer.alloc(64);
/** Turns below are not kept, ms. */
const k_shortest = 0.2;
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Nanoseconds that the first thread of this process has run for (Linux; undefined elsewhere). */
function opened() {
  try {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
    return {
      read: () => {
        // The system brings the count up to date when the thread sleeps, else at its ticks of some milliseconds.
        Atomics.wait(nothing, 0, 0, 0.01);
        return Number(bytes.toString('latin1', 0, readSync(file, bytes, 0, 64, 0)).split(' ', 1)[0]);
      },
      close: () => closeSync(file),
    };
  } catch {
    return undefined;
  }
}

/**
 * Turns of the loop while `run` runs, in ms of processor time: `longest` and how many took `long` than `least` ms, `own` and
 * `ownLong` likewise without the garbage collections that fell into them, and `collection`, the longest of these by the clock. Asks
 * after every turn, so the loop never sleeps meanwhile. undefined where the system does not tell.
 */
export async function turnsOf(run, least = 1) {
  const clock = opened();
  if (clock === undefined) return undefined;
  /** those worth a look: when they were, and how long */
  let turns = [];
  const collected = [];
  const collections = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      collected.push({ from: startTime, to: startTime + duration });
  });
  let isOver = false;
  let before = clock.read();
  let from = performance.now();
  const next = () => {
    const ms = (clock.read() - before) / 1e6;
    const to = performance.now();
    if (ms > k_shortest) turns.push({ from, to, ms });
    from = to;
    before = clock.read();
    if (!isOver) setImmediate(next);
    else clock.close();
  };
  setImmediate(next);
  await sleep(20);
  turns = [];
  collections.observe({ entryTypes: ['gc'] });
  try {
    await run();
  } finally {
    // the turn in which it ended is counted too
    await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    await sleep(1); // the observer hears of them later
    collections.disconnect();
  }
  const own = turns.map((turn) => turn.ms - within(turn, collected));
  return {
    longest: Math.max(0, ...turns.map(({ ms }) => ms)),
    long: turns.filter(({ ms }) => ms > least).length,
    own: Math.max(0, ...own),
    ownLong: own.filter((ms) => ms > least).length,
    collection: Math.max(0, ...collected.map(({ from, to }) => to - from)),
  };
}

/** How much of a turn was garbage collection, in ms of the clock: no more than it took where other work stopped the thread meanwhile. */
function within({ from, to, ms }, collected) {
  const overlaps = collected.map((one) => Math.max(0, Math.min(to, one.to) - Math.max(from, one.from)));
  return Math.min(
    ms,
    overlaps.reduce((sum, one) => sum + one, 0),
  );
}

/** Longest delay of a timer of 1 ms while `run` runs, in ms. */
export async function delayOf(run) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await sleep(20);
  delay.reset();
  await run();
  delay.disable();
  return delay.max / 1e6 - 1;
}
