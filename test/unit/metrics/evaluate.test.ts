import { describe, expect, it } from 'vitest';
import {
  type EvaluatedPicture,
  evaluate,
  evaluateMapped,
  type MappedClass,
} from '../../../src/metrics/index.js';
import { codeOf, unending } from '../awaiting.js';
import { fakeEvaluator } from './fake-evaluator.js';

const picture = (className: string, name?: string): EvaluatedPicture => ({
  className,
  name,
  score: 0.5,
  label: 1,
});

describe('evaluate', () => {
  it('finishes classes in the order of their first picture and disposes', async () => {
    const fake = fakeEvaluator();
    const { classes } = await evaluate(
      { pictures: [picture('b'), picture('a'), picture('b')], curvePoints: 10 },
      fake.addon,
    );
    expect(classes.map(({ className }) => className)).toEqual(['b', 'a']);
    expect(fake.log.filter((line) => line.startsWith('finish'))).toEqual(['finish b', 'finish a']);
    expect(fake.log).toContain('add b picture 1 of class "b"');
    expect(fake.disposed()).toBe(1);
    expect(fake.options).toEqual([{ limits: [0.05, 0.3], curvePoints: 10, histogramBins: 0, threads: 0 }]);
  });

  it('keeps few pictures in flight, however many come', async () => {
    const fake = fakeEvaluator();
    async function* many() {
      for (let i = 0; i < 50; i++) yield picture('a');
    }
    await evaluate({ pictures: many() }, fake.addon);
    expect(fake.log).toHaveLength(51);
    expect(fake.mostAdding()).toBeGreaterThan(1);
    expect(fake.mostAdding()).toBeLessThanOrEqual(8);
  });

  it('rejects with the error of the first picture that fails, and disposes', async () => {
    const fake = fakeEvaluator((_, { name }) => {
      if (name === 'bad')
        throw Object.assign(new Error('bad: the map holds NaN'), { code: 'E_IMAGE_NONFINITE' });
    });
    const pictures = [picture('a'), picture('a', 'bad'), ...Array.from({ length: 20 }, () => picture('a'))];
    await expect(evaluate({ pictures }, fake.addon)).rejects.toMatchObject({
      code: 'E_IMAGE_NONFINITE',
      message: 'bad: the map holds NaN',
    });
    expect(fake.log).not.toContain('finish a');
    expect(fake.log.length).toBeLessThan(20);
    expect(fake.disposed()).toBe(1);
  });

  it('grouped by class, finishes a class before the next and refuses one that comes back', async () => {
    const fake = fakeEvaluator();
    await evaluate({ pictures: [picture('a'), picture('b')], groupedByClass: true }, fake.addon);
    expect(fake.log.indexOf('finish a')).toBeLessThan(fake.log.indexOf('finish b'));
    const pictures = [picture('a'), picture('b'), picture('a')];
    await expect(evaluate({ pictures, groupedByClass: true }, fake.addon)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: 'class "a" is finished and takes no more pictures',
    });
  });

  it('stops at the signal', async () => {
    const fake = fakeEvaluator();
    const stop = new AbortController();
    function* endless() {
      for (let i = 0; ; i++) {
        if (i === 20) stop.abort();
        yield picture('a');
      }
    }
    await expect(evaluate({ pictures: endless(), signal: stop.signal }, fake.addon)).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
    expect(fake.disposed()).toBe(1);
  });

  it('stops at the signal while no picture comes', async () => {
    const fake = fakeEvaluator();
    const stop = new AbortController();
    const work = codeOf(evaluate({ pictures: unending(), signal: stop.signal }, fake.addon));
    await new Promise(setImmediate);
    stop.abort();
    expect(await work).toBe('E_CANCELLED');
    expect(fake.disposed()).toBe(1);
  });

  it('rejects with the first error while no further picture comes, and lets the source close', async () => {
    const fake = fakeEvaluator(() => {
      throw Object.assign(new Error('the score is NaN'), { code: 'E_IMAGE_NONFINITE' });
    });
    let isClosed = false;
    let given = 0;
    const pictures: AsyncIterable<EvaluatedPicture> = {
      [Symbol.asyncIterator]: () => ({
        next: () => (given++ === 0 ? Promise.resolve({ value: picture('a') }) : new Promise<never>(() => {})),
        return: () => {
          isClosed = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    expect(await codeOf(evaluate({ pictures }, fake.addon))).toBe('E_IMAGE_NONFINITE');
    expect(isClosed).toBe(true);
    expect(fake.disposed()).toBe(1);
  });

  const refused: [string, object, RegExp][] = [
    ['an unknown option', { limit: [0.3] }, /unknown option "limit"/],
    ['a limit of 0', { limits: [0] }, /numbers in \(0, 1\]/],
    ['a limit that is a hole', { limits: new Array(1) }, /numbers in \(0, 1\]/],
    ['a text for yes or no', { groupedByClass: 'no' }, /true or false for groupedByClass/],
    ['a signal that is none', { signal: {} }, /AbortSignal/],
    ['a curve of one point', { curvePoints: 1 }, /curvePoints/],
    ['bins that are no whole number', { histogramBins: 1.5 }, /histogramBins/],
    ['a threshold that is NaN', { threshold: Number.NaN }, /threshold/],
  ];
  it.each(refused)('refuses %s', async (_, options, message) => {
    await expect(evaluate({ pictures: [], ...options }, fakeEvaluator().addon)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringMatching(message),
    });
  });

  const size = { width: 2, height: 1 };
  const wrong: [string, object, string, RegExp][] = [
    ['a map of doubles', { map: { data: new Float64Array(2), ...size } }, 'E_USAGE', /map of p/],
    [
      'a mask of another size',
      {
        map: { data: new Float32Array(2), ...size },
        mask: { data: new Uint8Array(2), width: 1, height: 2 },
      },
      'E_IMAGE_SHAPE',
      /p: the mask is 1 x 2, the map 2 x 1/,
    ],
    ['a label of 2', { label: 2 }, 'E_USAGE', /label of p/],
    ['a map that is nowhere', { map: false }, 'E_USAGE', /map of p/],
    ['a mask that is nowhere', { mask: '' }, 'E_USAGE', /mask of p/],
    ['a score that is text', { score: '0.5' }, 'E_USAGE', /score of p/],
    ['a name that is a number', { name: 3n }, 'E_USAGE', /a string for name/],
    [
      'a class that is a symbol',
      { className: Symbol('a'), name: undefined },
      'E_USAGE',
      /a string for className/,
    ],
  ];
  it.each(wrong)('refuses %s', async (_, fields, code, message) => {
    const pictures = [{ ...picture('a', 'p'), ...fields } as EvaluatedPicture];
    await expect(evaluate({ pictures }, fakeEvaluator().addon)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('a call that is wrong', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['no pictures', {}],
    ['a number for pictures', { pictures: 3 }],
    ['a text for pictures', { pictures: 'abc' }],
    ['a picture that is null', { pictures: [null] }],
    ['a limit as text', { pictures: [], limits: ['0.3'] }],
  ])('is E_USAGE: %s', async (_, request) => {
    await expect(evaluate(request as never, fakeEvaluator().addon)).rejects.toMatchObject({
      code: 'E_USAGE',
    });
  });

  it.each([undefined, {}, { classes: unending() }, { classes: [null] }, { classes: [], signal: {} }])(
    'is E_USAGE for files too: %j',
    async (request) => {
      await expect(evaluateMapped(request as never, fakeEvaluator().addon)).rejects.toMatchObject({
        code: 'E_USAGE',
      });
    },
  );
});

describe('evaluateMapped', () => {
  const set = (className: string) => ({
    className,
    maps: { path: 'maps.f32' },
    count: 2,
    height: 4,
    width: 4,
    labels: [true, false],
  });

  it('holds one class at a time', async () => {
    const fake = fakeEvaluator();
    await evaluateMapped({ classes: [set('a'), set('a'), set('b')] }, fake.addon);
    expect(fake.log).toEqual(['map a 2', 'map a 2', 'finish a', 'map b 2', 'finish b']);
  });

  it('refuses lists that do not fit the number of maps', async () => {
    const classes = [{ ...set('a'), scores: [0.5] }];
    await expect(evaluateMapped({ classes }, fakeEvaluator().addon)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringMatching(/2 values for scores/),
    });
  });

  it.each<[string, object, RegExp]>([
    ['a label of 256', { labels: [0, 256] }, /true, false, 0 or 1 for labels\[1\]/],
    ['a label between', { labels: new Float32Array([0, 0.5]) }, /for labels\[1\]/],
    ['labels as words', { labels: ['good', 'bad'] }, /for labels\[0\]/],
    ['a label that is a hole', { labels: [0, ...new Array(1)] }, /for labels\[1\]/],
    ['no score as null', { scores: [null, -1] }, /a number for scores\[0\]/],
    ['scores of whole numbers only', { scores: [1n, 2n] }, /a number for scores\[0\]/],
    ['scores that are no list', { scores: 5 }, /2 values for scores/],
    ['a misspelt field', { maks: { path: 'masks.u8' } }, /unknown field "maks"/],
    ['a misspelt offset', { maps: { path: 'maps.f32', ofset: 4 } }, /unknown field "ofset"/],
    ['masks that are nowhere', { masks: false }, /\{ path, offset \} for masks/],
    ['a path that would end early', { maps: { path: 'maps.f32\0.old' } }, /a path for maps\.path/],
  ])('refuses %s', async (_, fields, message) => {
    const fake = fakeEvaluator();
    const classes = [{ ...set('a'), ...fields } as MappedClass];
    await expect(evaluateMapped({ classes }, fake.addon)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringMatching(message),
    });
    expect(fake.log).toEqual([]);
  });
});
