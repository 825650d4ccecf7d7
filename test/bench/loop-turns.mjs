// How long the JavaScript thread is held at a stretch: processor time of the thread in one turn of its event loop, which other
// work on the machine does not lengthen, and delays of a timer, which it does.
import { closeSync, openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const bytes = Buffer.alloc(64);
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
 * Longest turn while `run` runs, in ms of processor time, how many took more than `least` ms, and the longest garbage collection in ms
 * of the clock. Asks after every turn, so the loop never sleeps meanwhile. undefined where the system does not tell.
 */
export async function turnsOf(run, least = 1) {
  const clock = opened();
  if (clock === undefined) return undefined;
  const turns = { longest: 0, long: 0, collection: 0 };
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) turns.collection = Math.max(turns.collection, duration);
  });
  let isOver = false;
  let before = clock.read();
  const next = () => {
    const now = clock.read();
    const ms = (now - before) / 1e6;
    turns.longest = Math.max(turns.longest, ms);
    if (ms > least) turns.long++;
    before = clock.read();
    if (!isOver) setImmediate(next);
    else clock.close();
  };
  setImmediate(next);
  await sleep(20);
  turns.longest = 0;
  turns.long = 0;
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
  return turns;
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
