import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { choosePass, rankOf, type Waiting } from '../../../src/engine/scheduler-turns.js';
import { CraneError } from '../../../src/errors.js';
import { makeGate } from '../awaiting.js';
import { k_bytes, makeBareScheduler, memoryError, methodOf, scoreOf } from './bare-scheduler.js';

/** Two passes fill the engine and wait for the gate; what comes then has to queue. */
async function makeBusy(behaviour: Parameters<typeof makeBareScheduler>[0] = {}) {
  const gate = makeGate();
  const bare = makeBareScheduler({
    ...behaviour,
    pass: gate.wait,
    limits: { maxBatch: 1, ...behaviour.limits },
  });
  const first = Promise.all([bare.call('x'), bare.call('y')]);
  while (bare.passes.length < 2) await sleep(1);
  const names = () => bare.passes.slice(2).map((pass) => pass.names.join('+'));
  return { ...bare, first, open: gate.open, names };
}

describe('priority', () => {
  it('goes before whatever came earlier, calls and units alike', async () => {
    const { call, scheduler, jobOf, open, names } = await makeBusy();
    const calls = [call('low'), call('middle', { priority: 1 })];
    const units = [1, 2].map((priority) =>
      scheduler.submit(jobOf([`unit ${priority}`], { priority, sharesPass: false })),
    );
    calls.push(call('high', { priority: 7 }));
    await sleep(5);
    open();
    await Promise.all([...calls, ...units]);
    expect(names()).toEqual(['high', 'unit 2', 'middle', 'unit 1', 'low']);
  });

  it('has its picture decoded before others that wait for memory', async () => {
    const { call, open, names, log } = await makeBusy({ maxBytes: 2 * k_bytes });
    const calls = [call('a'), call('b'), call('urgent', { priority: 1 })];
    await sleep(5);
    open();
    await Promise.all(calls);
    expect(log.filter((line) => line.startsWith('prepared'))).toEqual(
      ['x', 'y', 'urgent', 'a', 'b'].map((name) => `prepared ${name}`),
    );
    expect(names()[0]).toBe('urgent');
  });

  it('is worth ten seconds of waiting a step, so that nothing waits for ever', () => {
    const turn = { now: 60_000, isTurnOfCalls: true, maxBatch: 1, maxWaitMs: 0 };
    const waiting = (arrived: number, priority: number, sharesPass = true): Waiting => ({
      rank: rankOf(arrived, priority),
      priority,
      sharesPass,
      couplesPictures: false,
      methodKey: '',
      size: 1,
      readyAt: arrived,
    });
    const chosen = (...jobs: Waiting[]) => jobs.indexOf(choosePass(jobs, turn).pass[0]!);
    expect(chosen(waiting(30_000, 0), waiting(39_999, 1))).toBe(1);
    expect(chosen(waiting(30_000, 0), waiting(40_001, 1))).toBe(0);
    expect(chosen(waiting(30_000, 0, false), waiting(39_999, 1))).toBe(1);
    expect(chosen(waiting(30_000, 0, false), waiting(40_001, 1))).toBe(0);
    expect(chosen(waiting(0, -3), waiting(30_001, 0))).toBe(0);
  });
});

describe('a deadline', () => {
  it('that comes while a picture waits ends it at once, and nothing is computed', async () => {
    const { call, scheduler, open, names, log, first, budget } = await makeBusy();
    const code = await call('late', { deadline: performance.now() + 20 });
    expect(code).toBe('E_DEADLINE');
    expect(log).toContain('released late');
    open();
    await first;
    await scheduler.close();
    expect([names(), budget.used]).toEqual([[], 0]);
  });

  it('that is over before the call comes decodes nothing', async () => {
    const { call, log } = makeBareScheduler();
    expect(await call('late', { deadline: performance.now() - 1 })).toBe('E_DEADLINE');
    expect(log).toEqual([]);
  });

  it('that comes during the pass changes nothing', async () => {
    const gate = makeGate();
    const { call, passes } = makeBareScheduler({ pass: gate.wait });
    const score = call('a', { deadline: performance.now() + 30 });
    while (passes.length === 0) await sleep(1);
    await sleep(60);
    gate.open();
    expect(await score).toBe(scoreOf('a'));
  });

  it('ends a unit as outcomes of its pictures, those of damaged ones included', async () => {
    const bare = await makeBusy({
      prepare: (name) => {
        if (name === 'damaged') throw new CraneError('E_IMAGE_DECODE', 'damaged');
      },
    });
    const deadline = performance.now() + 20;
    const outcomes = await bare.scheduler.submit(
      bare.jobOf(['a', 'damaged'], { deadline, sharesPass: false }),
    );
    expect(outcomes.map((outcome) => 'error' in outcome && outcome.error.code)).toEqual([
      'E_DEADLINE',
      'E_IMAGE_DECODE',
    ]);
    bare.open();
    await bare.first;
  });

  it('says what to do', async () => {
    const { scheduler, jobOf } = makeBareScheduler();
    const [outcome] = await scheduler.submit(jobOf(['a'], { deadline: 0 }));
    expect(outcome).toMatchObject({
      error: {
        code: 'E_DEADLINE',
        message: expect.stringMatching(/before a forward pass/),
        hint: expect.stringMatching(/deadlineMs/),
      },
    });
  });
});

describe('the state of the queue', () => {
  afterEach(() => vi.useRealTimers());

  it('tells what waits, runs and is done', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { call, scheduler, open, first, jobOf } = await makeBusy();
    const more = [call('a'), scheduler.submit(jobOf(['b', 'c'], { sharesPass: false }))];
    vi.advanceTimersByTime(20);
    more.push(call('d'));
    vi.advanceTimersByTime(5);
    expect(scheduler.state).toEqual({ depth: 4, inFlight: 2, waitingMs: 25, passes: 0, retryAfterMs: null });
    open();
    await Promise.all([first, ...more]);
    expect(scheduler.state).toMatchObject({
      depth: 0,
      inFlight: 0,
      waitingMs: 0,
      passes: 5,
      retryAfterMs: 0,
    });
  });

  it('estimates when the accepted pictures are done', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
    const pass = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
    const { call, scheduler, jobOf } = makeBareScheduler({ pass, limits: { maxBatch: 1 } });
    const first = call('first');
    await vi.advanceTimersByTimeAsync(20);
    await first;
    const calls = Promise.all([
      call('a'),
      call('b'),
      scheduler.submit(jobOf(['c', 'd'], { sharesPass: false })),
    ]);
    expect(scheduler.state.retryAfterMs).toBe(80);
    await vi.runAllTimersAsync();
    await calls;
    expect(scheduler.state.retryAfterMs).toBe(0);
  });

  it('does not count what was given up', async () => {
    const { call, scheduler, open, first } = await makeBusy();
    const controller = new AbortController();
    const given = call('a', { signal: controller.signal });
    await sleep(1);
    expect(scheduler.state.depth).toBe(1);
    controller.abort();
    expect(await given).toBe('E_CANCELLED');
    expect(scheduler.state).toMatchObject({ depth: 0, inFlight: 2 });
    open();
    await first;
  });
});

describe('a pass that fails', () => {
  it('is cancelled in the engine only when nobody waits for any of it', async () => {
    const gate = makeGate();
    const flags: { isCancelled: boolean }[] = [];
    const { call, passes } = makeBareScheduler({
      pass: async (_names, flag) => {
        flags.push(flag);
        await gate.wait();
      },
      limits: { maxWaitMs: 5 },
    });
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }, at) => call(`picture ${at}`, { signal }));
    while (passes.length === 0) await sleep(1);
    expect(passes[0]!.names).toHaveLength(2);
    controllers[0]!.abort();
    expect(await calls[0]).toBe('E_CANCELLED');
    expect(flags[0]!.isCancelled).toBe(false);
    controllers[1]!.abort();
    expect(await calls[1]).toBe('E_CANCELLED');
    expect(flags[0]!.isCancelled).toBe(true);
    gate.open();
  });

  it('is not repeated for pictures that were given up', async () => {
    const gate = makeGate();
    const { call, passes } = makeBareScheduler({
      pass: async (names) => {
        await gate.wait();
        if (names.length > 1) throw new CraneError('E_WEIGHTS_NONFINITE', 'not finite');
      },
      limits: { maxWaitMs: 5 },
    });
    const controller = new AbortController();
    const calls = [call('a'), call('b', { signal: controller.signal }), call('c')];
    while (passes.length === 0) await sleep(1);
    controller.abort();
    gate.open();
    expect(await Promise.all(calls)).toEqual([scoreOf('a'), 'E_CANCELLED', scoreOf('c')]);
    expect(passes.map(({ names }) => names)).toEqual([['a', 'b', 'c'], ['a'], ['c']]);
  });

  it('fails as a whole where pictures couple, and says so', async () => {
    const { scheduler, jobOf, passes } = makeBareScheduler({
      pass: (names) => {
        if (names.includes('bad'))
          throw new CraneError('E_WEIGHTS_NONFINITE', 'not finite', { hint: 'look' });
      },
    });
    const outcomes = await scheduler.submit(
      jobOf(['a', 'bad', 'c'], { couplesPictures: true, sharesPass: false }),
    );
    expect(outcomes).toHaveLength(3);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        error: {
          code: 'E_WEIGHTS_NONFINITE',
          message: 'not finite (in a forward pass of 3 pictures, which all fail with it)',
          hint: expect.stringMatching(/depend on the batch.*; look$/),
        },
      });
    expect(passes).toHaveLength(1);
  });

  it('leaves a picture whose result cannot be concluded as the only one that fails', async () => {
    const { scheduler, jobOf } = makeBareScheduler({
      conclude: (name) => {
        if (name === 'b') throw memoryError();
      },
    });
    const outcomes = await scheduler.submit(jobOf(['a', 'b', 'c'], { sharesPass: false }));
    expect(
      outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : outcome.score.score)),
    ).toEqual([scoreOf('a'), 'E_MEMORY', scoreOf('c')]);
  });

  it('gives every picture an outcome when a listener for warnings throws', async () => {
    const bare = makeBareScheduler({
      pass: (names) => {
        if (names.length > 1) throw memoryError();
      },
    });
    bare.warnings.push = () => {
      throw new RangeError('the listener broke');
    };
    const outcomes = await bare.scheduler.submit(bare.jobOf(['a', 'b'], { sharesPass: false }));
    expect(
      outcomes.some((outcome) => 'error' in outcome && /listener broke/.test(outcome.error.message)),
    ).toBe(true);
    expect(await bare.call('c')).toBe(scoreOf('c'));
  });
});

describe('a pass that memory does not hold', () => {
  const small = (room: number, gate = makeGate()) => ({
    gate,
    pass: async (names: string[]) => {
      await gate.wait();
      if (names.length > room) throw memoryError();
    },
  });

  it('makes later ones smaller, and never larger again for one that was under way', async () => {
    const { gate, pass } = small(1);
    const bare = makeBareScheduler({ pass });
    const unit = (names: string[]) => bare.scheduler.submit(bare.jobOf(names, { sharesPass: false }));
    const units = [unit(['a', 'b']), unit(['c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])];
    while (bare.passes.length < 2) await sleep(1);
    gate.open();
    await Promise.all(units);
    expect(bare.scheduler.passLimit).toBe(1);
    expect(bare.passes.slice(2).map(({ names }) => names.length)).toEqual(
      Array.from({ length: 10 }, () => 1),
    );
    expect(bare.warnings).toHaveLength(1);
  });

  it('does not part later ones whose pictures couple', async () => {
    const { gate, pass } = small(1);
    gate.open();
    const { scheduler, jobOf, passes } = makeBareScheduler({ pass });
    await scheduler.submit(jobOf(['a', 'b'], { sharesPass: false }));
    expect(scheduler.passLimit).toBe(1);
    const from = passes.length;
    const outcomes = await scheduler.submit(jobOf(['c', 'd'], { sharesPass: false, couplesPictures: true }));
    expect(passes.slice(from).map(({ names }) => names)).toEqual([['c', 'd']]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        error: { code: 'E_MEMORY', message: expect.stringMatching(/2 pictures/) },
      });
  });
});

describe('closing', () => {
  it('lets everything accepted finish, without waiting for others, and refuses the rest', async () => {
    const { call, scheduler, budget } = makeBareScheduler({ limits: { maxWaitMs: 60_000 } });
    const calls = [call('a'), call('b', { sharesPass: false })];
    await sleep(1);
    const closed = scheduler.close();
    expect(await call('c')).toBe('E_DISPOSED');
    await closed;
    expect(await Promise.all(calls)).toEqual([scoreOf('a'), scoreOf('b')]);
    expect(budget.used).toBe(0);
  });

  it('waits for a pass that nobody waits for any more', async () => {
    const { call, scheduler, passes, log } = makeBareScheduler({ pass: () => sleep(20) });
    const controller = new AbortController();
    const given = call('a', { signal: controller.signal });
    while (passes.length === 0) await sleep(1);
    controller.abort();
    expect(await given).toBe('E_CANCELLED');
    // The engine still reads the pixels.
    expect(log).not.toContain('released a');
    await scheduler.close();
    expect(log).toContain('released a');
  });
});

it('a call of other settings is not kept waiting by those that wait for company', async () => {
  const { call, passes } = makeBareScheduler({ limits: { maxWaitMs: 5, maxBatch: 2 } });
  await Promise.all([
    call('a'),
    call('b', { method: methodOf(2) }),
    call('c'),
    call('d', { method: methodOf(2) }),
  ]);
  expect(passes.map(({ names }) => names.join('+'))).toEqual(['a+c', 'b+d']);
});

it('with two lanes four passes are in the engine: one runs and one waits in each', async () => {
  const gate = makeGate();
  const { call, passes } = makeBareScheduler({ pass: gate.wait, limits: { maxBatch: 1, lanes: 2 } });
  const calls = ['a', 'b', 'c', 'd', 'e'].map((name) => call(name));
  while (passes.length < 4) await sleep(1);
  await sleep(5);
  expect(passes.map(({ names }) => names.join())).toEqual(['a', 'b', 'c', 'd']);
  gate.open();
  await Promise.all(calls);
  expect(passes).toHaveLength(5);
});
