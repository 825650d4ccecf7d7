/** The pool as it is built: sources that are not compiled have no file for a thread. */
import { threadId } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { inThread } from '../../../dist/threads/pool.js';
import { inThread as inSources } from '../../../src/threads/pool.js';

// Below dist/, as the pool's modules are.
const module = '../test/unit/threads/works.mjs';
const load = () => import('./works.mjs');

describe('inThread', () => {
  it('does a work on another thread, and arrays go over and come back without a copy', async () => {
    const data = Float32Array.of(1, 2, 3);
    const { data: twice, thread } = await inThread(module, load, 'doubled', { data });
    expect([...twice]).toEqual([2, 4, 6]);
    expect(thread).not.toBe(threadId);
    expect(data.length).toBe(0);
  });

  it('of a part of an array leaves the rest to its owner', async () => {
    const all = Float32Array.of(1, 2, 3);
    const { data: twice } = await inThread(module, load, 'doubled', { data: all.subarray(1) });
    expect([[...twice], [...all]]).toEqual([
      [4, 6],
      [1, 2, 3],
    ]);
  });

  it('does several at once, on threads that are free', async () => {
    const threads = await Promise.all([1, 2].map(() => inThread(module, load, 'slow', { ms: 200 })));
    expect(new Set(threads).size).toBe(2);
  });

  it('does a work of a work on the same thread', async () => {
    expect(await inThread(module, load, 'nested', { module })).not.toBe(threadId);
  });

  it('asks the caller for memory, and gives back what the caller threw', async () => {
    const asked: number[] = [];
    const reserve = async (bytes: number) => {
      asked.push(bytes);
      if (bytes > 10) throw refusal;
    };
    const refusal = new Error('no more');
    expect(await inThread(module, load, 'granted', { bytes: 7 }, { reserve })).toBe('taken');
    await expect(inThread(module, load, 'granted', { bytes: 11 }, { reserve })).rejects.toBe(refusal);
    expect(asked).toEqual([7, 11]);
  });

  it('gives back what a work threw, with code and hint', async () => {
    await expect(inThread(module, load, 'failed', {})).rejects.toMatchObject({
      name: 'CraneError',
      code: 'E_IMAGE_RANGE',
      message: 'a.tif: no range',
      hint: 'say it',
    });
  });

  it('refuses what cannot go over, and works on', async () => {
    const given = { ms: 0, what: () => 0 };
    await expect(inThread(module, load, 'slow', given)).rejects.toThrow(/could not be cloned/);
    expect(await inThread(module, load, 'slow', { ms: 0 })).not.toBe(threadId);
  });

  it('of a thread that ends is E_INTERNAL, and the next work has another', async () => {
    await expect(inThread(module, load, 'ended', {})).rejects.toMatchObject({ code: 'E_INTERNAL' });
    expect(await inThread(module, load, 'slow', { ms: 0 })).not.toBe(threadId);
  });

  it('stays here in sources that are not compiled', async () => {
    expect(await inSources(module, load, 'slow', { ms: 0 })).toBe(threadId);
  });
});
