import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { linked, withAny } from '../../src/cancellation.js';

describe('a signal of several', () => {
  it.each([0, 1])('fires with the reason of whichever fires first', (at) => {
    const ends = [new AbortController(), new AbortController()];
    const { signal } = linked(ends.map((end) => end.signal));
    expect(signal.aborted).toBe(false);
    ends[at]!.abort('why');
    ends[1 - at]!.abort('too late');
    expect(signal.reason).toBe('why');
  });

  it('has fired where one of them had', () => {
    expect(linked([undefined, AbortSignal.abort('before')]).signal.reason).toBe('before');
  });

  it('leaves nothing with those that live on', async () => {
    const { signal } = new AbortController();
    for (let at = 0; at < 100; at++) await withAny([signal, undefined], async () => at);
    await expect(
      withAny([signal], async () => {
        throw new Error('failed');
      }),
    ).rejects.toThrow('failed');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    // Node's own name for the signals that AbortSignal.any made of this one.
    const key = Object.getOwnPropertySymbols(signal).find((each) => each.description === 'kDependantSignals');
    expect((key && ((signal as never)[key] as { size: number } | null))?.size ?? 0).toBe(0);
  });

  it('fires no more once it is released', () => {
    const end = new AbortController();
    const { signal, release } = linked([end.signal]);
    release();
    end.abort();
    expect(signal.aborted).toBe(false);
  });

  it('reaches the work', async () => {
    const end = new AbortController();
    const work = withAny(
      [end.signal],
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('given up'))),
    );
    end.abort();
    expect(await work).toBe('given up');
  });
});
