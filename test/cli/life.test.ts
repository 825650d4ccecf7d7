import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../dist/index.js';
import { root, run, samples } from './crane-native.js';

const names = ['bsdata-good-g00.jpg', 'bsdata-pitting-p00.jpg', 'coffee_leaf-rust-r00.jpg'];
const paths = names.map((name) => join(samples, name));
const index = join(root, 'dist', 'index.js');

describe('an engine in use', () => {
  let loadEngine: typeof import('../../dist/index.js').loadEngine;
  let engine: Engine;
  beforeAll(async () => {
    ({ loadEngine } = await import(index));
    engine = await loadEngine({ model: 'crane-mini', threads: 1 });
  }, 60_000);
  afterAll(() => engine.dispose());

  it('gives the same bits alone, to callers at the same time, and from scoreMany in any batch', async () => {
    const alone: { score: number; map: Float32Array }[] = [];
    for (const path of paths) {
      const { score, map } = await engine.score(path, { map: true });
      alone.push({ score, map: map?.data ?? new Float32Array() });
    }
    const together = await Promise.all([...paths, ...paths].map((path) => engine.score(path, { map: true })));
    together.forEach(({ score, map }, i) => {
      expect(score).toBe(alone[i % paths.length]?.score);
      expect(map?.data).toEqual(alone[i % paths.length]?.map);
    });
    for await (const result of engine.scoreMany([...paths].reverse(), { batch: 3 })) {
      if ('error' in result) throw new Error(result.error.message);
      expect(result.score).toBe(alone[paths.length - 1 - result.index]?.score);
    }
  }, 120_000);

  it('takes a path, a buffer, a file: URL and a data: URL for the same picture', async () => {
    const path = paths[0] as string;
    const bytes = await readFile(path);
    const scores = await Promise.all(
      [path, bytes, pathToFileURL(path), `data:image/jpeg;base64,${bytes.toString('base64')}`].map(
        async (input) => (await engine.score(input)).score,
      ),
    );
    expect(new Set(scores).size).toBe(1);
  }, 60_000);

  it('gives a call up when its signal says so and keeps working', async () => {
    const controller = new AbortController();
    const pending = Promise.allSettled(
      paths.map((path) => engine.score(path, { signal: controller.signal })),
    );
    controller.abort();
    for (const outcome of await pending) {
      expect(outcome.status).toBe('rejected');
      expect((outcome as PromiseRejectedResult).reason).toMatchObject({ code: 'E_CANCELLED' });
    }
    expect((await engine.score(paths[0] as string)).score).toBeTypeOf('number');
  }, 60_000);

  it('is disposed while busy without losing what was started', async () => {
    const other = await loadEngine({ model: 'crane-mini', threads: 1 });
    const pending = other.score(paths[0] as string);
    const disposed = other.dispose();
    const [first] = await Promise.allSettled([pending]);
    if (first.status === 'rejected') expect(first.reason).toMatchObject({ code: 'E_DISPOSED' });
    await disposed;
    await expect(other.score(paths[0] as string)).rejects.toMatchObject({ code: 'E_DISPOSED' });
  }, 60_000);
});

/** Each program ends by itself with the wanted code, never by a signal. */
describe('the process', () => {
  const ends = (program: string, kind: 'commonjs' | 'module') =>
    run(process.execPath, [`--input-type=${kind}`, '-e', program]);
  const load = `const { loadEngine } = await import(${JSON.stringify(pathToFileURL(index).href)});`;
  const picture = JSON.stringify(paths[0]);

  it('ends by itself after scoring without dispose, and can be required from CommonJS', async () => {
    const program = `
      const { loadEngine } = require(${JSON.stringify(index)});
      loadEngine({ threads: 1 }).then((engine) => engine.score(${picture})).then((r) => console.log(r.score));`;
    const { code, signal, stdout } = await ends(program, 'commonjs');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(Number(stdout)).toBeGreaterThanOrEqual(0);
  }, 60_000);

  it('survives process.exit while scoring', async () => {
    const program = `${load} const engine = await loadEngine({ threads: 1 });
      for (let i = 0; i < 4; i++) engine.score(${picture}).catch(() => {});
      setTimeout(() => process.exit(7), 60);`;
    expect(await ends(program, 'module')).toMatchObject({ code: 7, signal: null });
  }, 60_000);

  it('ends although an exit handler still calls the engine', async () => {
    const program = `${load} const engine = await loadEngine({ threads: 1 });
      process.on('exit', () => { engine.dispose(); engine.score(${picture}).catch(() => {}); });`;
    expect(await ends(program, 'module')).toMatchObject({ code: 0, signal: null });
  }, 60_000);

  it('ends although a worker has work queued', async () => {
    const worker = `${load} const engine = await loadEngine({ threads: 1 });
      const { parentPort } = await import('node:worker_threads');
      for (let i = 0; i < 6; i++) engine.score(${picture}).catch(() => {});
      parentPort.postMessage('busy');
      setInterval(() => {}, 1000);`;
    const program = `
      import { Worker } from 'node:worker_threads';
      const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)}));
      new Worker(url).on('message', () => setTimeout(() => process.exit(7), 30));`;
    expect(await ends(program, 'module')).toMatchObject({ code: 7, signal: null });
  }, 60_000);

  it('survives a worker that is terminated while scoring', async () => {
    const worker = `${load} const engine = await loadEngine({ threads: 1 });
      const { parentPort } = await import('node:worker_threads');
      parentPort.postMessage('busy');
      for (;;) await engine.score(${picture});`;
    const program = `
      import { Worker } from 'node:worker_threads';
      const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)}));
      const worker = new Worker(url);
      worker.on('message', () => setTimeout(async () => { await worker.terminate(); console.log('gone'); }, 50));`;
    const { code, signal, stdout, stderr } = await ends(program, 'module');
    expect({ code, signal, stdout, stderr }).toMatchObject({ code: 0, signal: null, stdout: 'gone\n' });
  }, 60_000);

  it('survives workers that are terminated while results are written into their memory', async () => {
    const worker = `${load} const engine = await loadEngine({ threads: 1 });
      const { parentPort } = await import('node:worker_threads');
      const { addon } = engine;
      const data = new Uint8Array(900 * 700 * 3).fill(9);
      const frame = { data, width: 900, height: 700, mode: 'RGB' };
      const grey = await addon.greyMask(frame);
      parentPort.postMessage(grey, [grey.buffer]);
      const many = (work) => Promise.all(Array.from({ length: 20 }, work));
      for (;;) await Promise.all([
        engine.score({ data, width: 900, height: 700, channels: 3 }, { map: true, mapSize: 'picture', heatmap: true }),
        many(() => addon.markMask(frame, true)),
        many(() => addon.mosaicOfPictures([frame, frame, frame, frame], 900, 700)),
        many(() => addon.overlay(frame, new Float32Array(16), 4, 4, 0, 1)),
      ]);`;
    const program = `
      import { Worker } from 'node:worker_threads';
      const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)}));
      for (const wait of [5, 30, 110, 350]) {
        const worker = new Worker(url);
        const grey = await new Promise((resolve) => worker.once('message', resolve));
        await new Promise((resolve) => setTimeout(resolve, wait));
        await worker.terminate();
        console.log(grey.length);
      }`;
    const { code, signal, stdout, stderr } = await ends(program, 'module');
    expect({ code, signal, stdout, stderr }).toEqual({
      code: 0,
      signal: null,
      stdout: '630000\n'.repeat(4),
      stderr: '',
    });
  }, 120_000);

  it('gives the memory of large results back', async () => {
    const program = `${load} const engine = await loadEngine({ threads: 1 });
      const map = new Float32Array(16);
      const once = async () => (await engine.addon.resizeMap(map, 4, 4, 4000, 3000)).byteLength;
      for (let i = 0; i < 40; i++) await once();
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 500));
      console.log(await once(), process.memoryUsage().arrayBuffers < 300e6, process.memoryUsage().rss < 1.2e9);`;
    const { stdout } = await run(process.execPath, ['--expose-gc', '--input-type=module', '-e', program]);
    expect(stdout).toBe('48000000 true true\n');
  }, 120_000);
});
