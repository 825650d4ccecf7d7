/** Engines of one process hold a model's weights once, in whatever threads they are, and the last one frees them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { root, run, samples } from './crane-native.js';

const index = pathToFileURL(join(root, 'dist', 'index.js')).href;
const addon = pathToFileURL(join(root, 'dist', 'addon', 'load-addon.js')).href;
const picture = JSON.stringify(join(samples, 'bsdata-good-g00.jpg'));

it('a second engine and one in a worker add nothing, score alike, and all is free at the end', async () => {
  const load = `
    const { loadEngine } = await import(${JSON.stringify(index)});
    const { loadAddon } = await import(${JSON.stringify(addon)});
    const open = () => loadEngine({ model: 'crane-mini', threads: 1, size: 56 });
    const held = async () => (await (await loadAddon()).addon.info()).sharedWeights;`;
  const worker = `${load}
    const { parentPort } = await import('node:worker_threads');
    const engine = await open();
    const { score } = await engine.score(${picture});
    parentPort.once('message', async () => { await engine.dispose(); parentPort.postMessage('gone'); });
    parentPort.postMessage({ score, packed: engine.facts.vision.packed });`;
  const program = `${load}
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    const before = await held();
    const first = await open();
    const alone = { ...await first.score(${picture}), held: await held() };
    const second = await open();
    const beside = await second.score(${picture});
    const thread = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)})));
    const [inWorker] = await once(thread, 'message');
    const together = await held();
    await first.dispose();
    await second.dispose();
    const left = await held();
    thread.postMessage('end');
    await once(thread, 'message');
    await thread.terminate();
    console.log(JSON.stringify({ before, alone: alone.held, together, left, after: await held(), inWorker,
      packed: second.facts.vision.packed, scores: [alone.score, beside.score, inWorker.score] }));`;
  const { code, stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const told = JSON.parse(stdout);
  expect(told.before).toEqual({ tensors: 0, bytes: 0 });
  // the vision tower's packed weights alone are 60 MiB
  expect(told.alone.bytes).toBeGreaterThan(50 * 2 ** 20);
  expect(told.together).toEqual(told.alone);
  expect(told.left).toEqual(told.alone);
  expect(told.after).toEqual({ tensors: 0, bytes: 0 });
  expect(new Set(told.scores).size).toBe(1);
  expect([told.packed, told.inWorker.packed]).toEqual(['shared', 'shared']);
}, 120_000);
