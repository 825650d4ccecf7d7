import { describe, expect, it } from 'vitest';
import type { ScoreOutcome } from '../../../src/engine/result.js';
import { type Stream, scoreMany } from '../../../src/engine/scheduler-stream.js';
import { CraneError } from '../../../src/errors.js';
import { collect, makeGate } from '../awaiting.js';
import { makeBareScheduler, methodOf, scoreOf } from './bare-scheduler.js';

/** A stream over pictures that are names only, and what happened to each. */
function makeWork({
  couples = false,
  pass = () => {},
  ...parts
}: Partial<Stream> & { couples?: boolean; pass?: (names: string[]) => void | Promise<void> } = {}) {
  const bare = makeBareScheduler({
    prepare: (name) => {
      if (name === 'unreadable') throw new CraneError('E_IMAGE_DECODE', 'damaged');
      if (name === 'late') throw new CraneError('E_DISPOSED', 'the engine was disposed');
    },
    pass: async (names) => {
      await pass(names);
      if (names.includes('bad')) throw new CraneError('E_WEIGHTS_NONFINITE', 'not finite');
    },
  });
  const work: Stream = {
    scheduler: bare.scheduler,
    batch: () => 1,
    ordered: true,
    signal: undefined,
    disposed: new AbortController().signal,
    job: { method: methodOf(1), couplesPictures: couples, priority: 0, deadline: undefined },
    prepare: bare.prepareItem,
    ...parts,
  };
  return {
    work,
    log: bare.log,
    passes: () => bare.passes.map(({ names }) => names),
    close: () => bare.scheduler.close(),
  };
}
const item = (name: string) => ({ input: Buffer.from(name), name });
const namesOf = (results: ScoreOutcome[]) => results.map(({ input }) => input);
/** A source that gives an entry only when the test says so. */
function makeSource() {
  const waiting: ((step: IteratorResult<ReturnType<typeof item>>) => void)[] = [];
  const steps: IteratorResult<ReturnType<typeof item>>[] = [];
  const put = (step: IteratorResult<ReturnType<typeof item>>) => {
    const taker = waiting.shift();
    if (taker) taker(step);
    else steps.push(step);
  };
  let isReturned = false;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const step = steps.shift();
        return step
          ? Promise.resolve(step)
          : new Promise<IteratorResult<ReturnType<typeof item>>>((resolve) => waiting.push(resolve));
      },
      return: async () => {
        isReturned = true;
        return { done: true as const, value: undefined };
      },
    }),
  };
  return {
    source,
    give: (name: string) => put({ done: false, value: item(name) }),
    end: () => put({ done: true, value: undefined }),
    isReturned: () => isReturned,
  };
}

describe('where scores depend on the pictures before', () => {
  /** The first picture is decoded last. */
  const passesOf = async (inOrder: boolean) => {
    const { work, passes, close } = makeWork({ inOrder });
    const { prepare } = work;
    const first = makeGate();
    const slow: Stream['prepare'] = async (picture, means) => {
      if (picture.name === 'a') await first.wait();
      return prepare(picture, means);
    };
    const results = collect(scoreMany([item('a'), item('b'), item('c')], { ...work, prepare: slow }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    first.open();
    await results;
    await close();
    return passes();
  };

  it('their passes go one after the other in the order of the stream', async () => {
    expect(await passesOf(true)).toEqual([['a'], ['b'], ['c']]);
    // what is decoded first goes first, where nothing depends on it
    expect((await passesOf(false))[0]).not.toEqual(['a']);
  });
});

describe('a slow source', () => {
  it.each([1, 4])('has each result handed out before its next picture comes, at batch %i', async (batch) => {
    const { source, give, end } = makeSource();
    const { work } = makeWork({ batch: () => batch });
    const results = scoreMany(source, work);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const next = results.next();
      give(name);
      expect((await next).value).toMatchObject({ input: name });
    }
    end();
    expect((await results.next()).done).toBe(true);
  });

  it('fills whole units where scores depend on them', async () => {
    const { source, give, end } = makeSource();
    const { work, passes } = makeWork({ batch: () => 2, couples: true });
    const all = collect(scoreMany(source, work));
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      give(name);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    end();
    await all;
    expect(passes()).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('is let go when the caller ends the loop while it is being waited for', async () => {
    const { source, give, isReturned } = makeSource();
    give('a');
    for await (const { input } of scoreMany(source, makeWork().work)) {
      expect(input).toBe('a');
      break;
    }
    expect(isReturned()).toBe(true);
  });

  it('does not keep a signal from ending the loop', async () => {
    const { source } = makeSource();
    const controller = new AbortController();
    const all = collect(scoreMany(source, makeWork({ signal: controller.signal }).work));
    setTimeout(() => controller.abort(), 5);
    await expect(all).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});

it('a caller who leaves the loop does not wait for what was decoded ahead', async () => {
  const gate = makeGate();
  const pass = (names: string[]) => (names.includes('picture 0') ? undefined : gate.wait());
  const { work, log, passes, close } = makeWork({ pass });
  function* endless() {
    for (let at = 0; ; at++) yield item(`picture ${at}`);
  }
  for await (const { input } of scoreMany(endless(), work)) {
    expect(input).toBe('picture 0');
    break;
  }
  gate.open();
  await close();
  const lines = (word: string) => log.filter((line) => line.startsWith(word));
  expect(passes().length).toBeLessThan(lines('prepared').length);
  expect(lines('released')).toHaveLength(lines('prepared').length);
});

it('a source at hand fills its units', async () => {
  const { work, passes } = makeWork({ batch: () => 3 });
  async function* source() {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) yield item(name);
  }
  await collect(scoreMany(source(), work));
  expect(passes()).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
});

it('what a source gave before it failed is scored and handed out', async () => {
  function* source() {
    yield item('a');
    yield item('b');
    throw new RangeError('the list broke off');
  }
  const taken: string[] = [];
  const run = async () => {
    for await (const { input } of scoreMany(source(), makeWork().work)) taken.push(input);
  };
  await expect(run()).rejects.toThrow('the list broke off');
  expect(taken).toEqual(['a', 'b']);
});

describe('a unit that fails', () => {
  it('is scored again picture by picture, while its prompts are still held', async () => {
    const { work, log } = makeWork({ batch: () => 3 });
    const results = await collect(scoreMany([item('a'), item('bad'), item('c')], work));
    expect(results.map((result) => ('error' in result ? result.error.code : result.score))).toEqual([
      scoreOf('a'),
      'E_WEIGHTS_NONFINITE',
      scoreOf('c'),
    ]);
    const lastScored = log.findLastIndex((line) => line.startsWith('scored'));
    const firstReleased = log.findIndex((line) => line.startsWith('released'));
    expect(log.slice(lastScored + 1).sort()).toEqual(['released a', 'released bad', 'released c']);
    expect(firstReleased).toBeGreaterThan(lastScored);
  });

  it('gives back what it prepared, whatever ended it', async () => {
    const { work, log, close } = makeWork({ batch: () => 3 });
    const all = collect(scoreMany([item('a'), item('late'), item('c')], work));
    await expect(all).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await close();
    expect(log.filter((line) => line.startsWith('released')).sort()).toEqual(['released a', 'released c']);
  });

  it('a picture that cannot be read does not keep the others from their pass', async () => {
    const { work, passes } = makeWork({ batch: () => 3 });
    const results = await collect(scoreMany([item('a'), item('unreadable'), item('c')], work));
    expect(namesOf(results)).toEqual(['a', 'unreadable', 'c']);
    expect(passes()).toEqual([['a', 'c']]);
  });
});
