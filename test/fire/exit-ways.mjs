// One way for a process to end while an engine is in it: node --expose-gc exit-ways.mjs WAY SEED MODEL PICTURE. The seed chooses the moment.
// Driven by exit-paths.test.ts; `aborts` and `hangs` are its planted bugs.
import { setTimeout as later } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadEngine } from '../../dist/index.js';

const [way, seedText, model, picture] = isMainThread ? process.argv.slice(2) : workerData;
const seed = Number(seedText);
/** From 0 to below 1. */
const moment = ((Math.imul(seed + 1, 2654435761) >>> 0) % 1009) / 1009;
const load = () => loadEngine({ model, threads: 1, startCache: false });
const busy = (engine, times = 8) =>
  Array.from({ length: times }, () => engine.score(picture, { map: true, heatmap: true }));
const soon = () => later(moment * 60);

/** @returns how each ended: 'done', or the code of its error */
async function outcomes(promises) {
  const settled = await Promise.allSettled(promises);
  return settled.map(({ status, reason }) =>
    status === 'fulfilled' ? 'done' : (reason.code ?? String(reason)),
  );
}

function mustBe(found, ...allowed) {
  const strange = found.filter((each) => !allowed.includes(each));
  if (strange.length > 0) throw new Error(`${way}: ${strange.join(', ')}`);
}

/** `count` threads that load and score for ever. */
function startThreads(count) {
  const threads = Array.from({ length: count }, (_, i) => {
    const inside = ['in a thread', seed + i, model, picture];
    return new Worker(new URL(import.meta.url), { workerData: inside });
  });
  for (const thread of threads) thread.on('error', (error) => console.error(error));
  return threads;
}

const ways = {
  async 'exit while it loads'() {
    load().catch(() => {});
    await soon();
    process.exit(7);
  },
  async 'exit right after it has loaded'() {
    await load();
    process.exit(7);
  },
  async 'exit while it scores'() {
    for (const each of busy(await load())) each.catch(() => {});
    await soon();
    process.exit(7);
  },
  async 'exit while it learns a bank'() {
    const engine = await load();
    engine.learnNormals([picture], { turns: 4 }).catch(() => {});
    await soon();
    process.exit(7);
  },
  async 'an exception that nobody catches'() {
    for (const each of busy(await load())) each.catch(() => {});
    setTimeout(() => {
      throw new Error('planned');
    }, moment * 60);
  },
  async 'the end without dispose'() {
    mustBe(await outcomes(busy(await load(), 2)), 'done');
  },
  async 'dispose while it scores'() {
    const engine = await load();
    const scores = busy(engine);
    await soon();
    const disposed = engine.dispose();
    mustBe(await outcomes(scores), 'done', 'E_DISPOSED');
    await disposed;
  },
  async 'dispose, and exit before it is done'() {
    const engine = await load();
    for (const each of busy(engine)) each.catch(() => {});
    engine.dispose();
    await soon();
    process.exit(7);
  },
  async 'collected while it scores'() {
    const scores = busy(await load());
    const collect = setInterval(() => globalThis.gc(), 3);
    mustBe(await outcomes(scores), 'done');
    clearInterval(collect);
    globalThis.gc();
    await later(moment * 20);
  },
  async 'threads that are terminated'() {
    const threads = startThreads(2);
    await later(moment * 600);
    await Promise.all(threads.map((thread) => thread.terminate()));
    mustBe(await outcomes(busy(await load(), 2)), 'done');
  },
  async 'exit while threads score'() {
    startThreads(2);
    await later(moment * 600);
    process.exit(7);
  },
  async 'two engines in two threads'() {
    const threads = startThreads(2);
    const first = await Promise.all(
      threads.map((thread) => new Promise((resolve) => thread.once('message', resolve))),
    );
    await threads[seed % 2].terminate();
    const left = threads[(seed + 1) % 2];
    const next = await new Promise((resolve) => left.once('message', resolve));
    await left.terminate();
    if (new Set([...first, next]).size !== 1) throw new Error('other bits');
  },
  async 'in a thread'() {
    const engine = await load();
    for (;;) parentPort.postMessage((await engine.score(picture)).score);
  },
  async aborts() {
    for (const each of busy(await load())) each.catch(() => {});
    process.abort();
  },
  async hangs() {
    await load();
    setInterval(() => {}, 1_000);
  },
};

await ways[way]();
