import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorsPage, optionsPage } from '../../../scripts/make-reference.mjs';
import { CraneError, errorTable, toCraneError } from '../../../src/errors.js';
import { nearestName } from '../../../src/nearest-name.js';
import { checkOptions, wrongValue } from '../../../src/options/check.js';
import type { OptionSpec } from '../../../src/options/kinds.js';
import { flagName, optionNames, options } from '../../../src/options/table.js';

/** A list whose first place holds nothing. */
function withHole<T>(entry: T): T[] {
  const list = new Array<T>(2);
  list[1] = entry;
  return list;
}

const table = options as Record<string, OptionSpec<unknown>>;

describe('the table of options', () => {
  it.each(optionNames)('%s: its default is acceptable, its help is one short line', (name) => {
    const spec = table[name]!;
    if (spec.default !== undefined) expect(spec.accepts(spec.default)).toBe(true);
    else expect(spec.isFlag || spec.defaultText !== undefined).toBe(true);
    expect(spec.help).not.toContain('\n');
    expect(spec.help.length).toBeLessThan(110);
    if (spec.scope.includes('library')) expect(spec.calls?.length).toBeGreaterThan(0);
  });

  it('has no two options of one flag', () => {
    expect(new Set(optionNames.map(flagName)).size).toBe(optionNames.length);
  });

  it.each([
    ['threads', '4', 4],
    ['threads', '1.5', undefined],
    ['threads', '-1', undefined],
    ['threads', ' ', undefined],
    ['threads', '0x10', undefined],
    ['threshold', '0.25', 0.25],
    ['threshold', 'none', null],
    ['threshold', '2.5', undefined],
    ['threshold', '.5', 0.5],
    ['threshold', '1.', 1],
    ['threshold', '.', undefined],
    ['threshold', '5e-1', 0.5],
    ['threshold', '0..5', undefined],
    ['threshold', 'NaN', undefined],
    ['batch', 'auto', 'auto'],
    ['batch', '3', 3],
    ['batch', '0', undefined],
    ['features', '6,12,18,24', [6, 12, 18, 24]],
    ['features', '6,,12', undefined],
    ['features', '0', undefined],
    ['features', `6${',6'.repeat(63)}`, Array(64).fill(6)],
    ['features', `6${',6'.repeat(64)}`, undefined],
    ['bankBlocks', `6${',6'.repeat(64)}`, undefined],
    ['compat.clusterLabels', `6${',6'.repeat(99)}`, Array(100).fill(6)],
    ['compat.dAttnLayers', 'none', []],
    ['size', '518', 518],
    ['size', '518x518', 518],
    ['size', '700x518', { width: 700, height: 518 }],
    ['size', '0', undefined],
    ['size', '99999', undefined],
    ['size', '5 18', undefined],
    ['shard', '2/4', { index: 2, count: 4 }],
    ['shard', '0/4', undefined],
    ['shard', '5/4', undefined],
    ['heatmapRange', '0.2,0.9', { low: 0.2, high: 0.9 }],
    ['heatmapRange', '1,0', undefined],
    ['portion', '0', undefined],
    ['portion', '1', 1],
    ['temperature', '0', undefined],
    ['temperature', '1e-300', undefined],
    ['temperature', '1e-40', undefined],
    ['temperature', '1e-6', 1e-6],
    ['temperature', '0.07', 0.07],
    ['eAttn', '(q+k+v)^2', '(q+k+v)^2'],
    ['eAttn', 'q', undefined],
    ['out', '', undefined],
  ])('--%s %j is %j', (name, text, value) => {
    expect(table[name]!.read(text)).toEqual(value);
  });

  // By the square of its length it would take minutes.
  it.each(optionNames.filter((name) => table[name]!.read('x') === undefined))(
    '--%s reads a long text in no more than its length',
    (name) => {
      expect(table[name]!.read(`${'1'.repeat(2 ** 20)}x`)).toBeUndefined();
    },
  );
});

describe('checking the options of a library call', () => {
  it.each([
    [
      'loadEngine',
      {
        threads: 2,
        size: { width: 28, height: 14 },
        compat: { exif: false },
        signal: new AbortController().signal,
      },
    ],
    ['score', { map: true, threshold: null, prompts: undefined, name: 'a' }],
    ['scoreMany', { batch: 'auto', ordered: false }],
    ['scorePreprocessed', { batch: 1, size: 28, map: true, sigma: 0 }],
  ] as const)('%s accepts %j', (call, given) => {
    expect(() => checkOptions(call, given)).not.toThrow();
  });

  it.each([
    ['loadEngine', { thread: 2 }, 'loadEngine knows no option "thread"', 'did you mean "threads"?'],
    ['loadEngine', { out: 'x' }, 'loadEngine knows no option "out"', undefined],
    ['score', { ordered: true }, 'score takes no option "ordered": it belongs to scoreMany', undefined],
    ['score', { map: 'yes' }, "Expected true or false for map but received 'yes' of type string", undefined],
    ['score', { signal: {} }, 'Expected an AbortSignal for signal but received {} of type Object', undefined],
    [
      'score',
      { fit: null },
      'Expected one of stretch, pad, tile for fit but received null of type null',
      undefined,
    ],
    ['loadEngine', { compat: [] }, 'Expected an object for compat but received [] of type Array', undefined],
    [
      'loadEngine',
      { size: [28, 28] },
      /Expected N or WxH in pixels.* but received \[ 28, 28 \] of type Array/,
      undefined,
    ],
    [
      'calibrate',
      { falseAlarmRat: 0.1 },
      'calibrate knows no option "falseAlarmRat"',
      'did you mean "falseAlarmRate"?',
    ],
    [
      'calibrate',
      { falseAlarmRate: 1 },
      'Expected a number between 0 and 1, both excluded for falseAlarmRate but received 1 of type number',
      undefined,
    ],
    ['calibrate', { eAttn: 'vv' }, /^calibrate takes no option "eAttn": it belongs to loadEngine/, undefined],
    ['score', { temperature: 1e-40 }, /^Expected a number from 0.000001 to 100 for temperature/, undefined],
    ['score', { features: Array(65).fill(6) }, /^Expected at most 64 whole numbers/, undefined],
    ['score', { features: withHole(9) }, /^Expected at most 64 whole numbers/, undefined],
    ['score', { mutualNeighbourhoods: withHole(3) }, /^Expected at most 50 whole numbers/, undefined],
    ['score', { compat: { dAttnLayers: withHole(3) } }, /^Expected at most 64 whole numbers/, undefined],
    ['learnNormals', { bankBlocks: withHole(9) }, /^Expected at most 64 whole numbers/, undefined],
    ['createTrainer', { betas: withHole(0.5) }, /^Expected two numbers from 0 to below 1/, undefined],
    ['createTrainer', { leaveOut: withHole('a') }, /^Expected names with commas/, undefined],
    ['evaluateDataSets', { limits: withHole(0.5) }, /^Expected different numbers above 0/, undefined],
    ['calibrate', null, /^Expected an object for the options of calibrate/, undefined],
    [
      'loadEngine',
      'crane-mini',
      "Expected an object for the options of loadEngine but received 'crane-mini' of type string",
      undefined,
    ],
  ] as const)('%s refuses %j', (call, given, message, hint) => {
    let thrown: CraneError | undefined;
    try {
      checkOptions(call, given);
    } catch (error) {
      thrown = error as CraneError;
    }
    expect(thrown).toMatchObject({
      code: 'E_USAGE',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    if (hint) expect(thrown!.hint).toBe(hint);
  });

  it('a list with a hole is none that a table takes', () => {
    for (const [name, entry] of [
      ['features', 9],
      ['betas', 0.5],
      ['limits', 0.5],
      ['normalsKShot', 2],
      ['leaveOut', 'a'],
    ] as const)
      expect(table[name]!.accepts(withHole<unknown>(entry)), name).toBe(false);
  });

  it('a huge wrong value makes a short message', () => {
    expect(wrongValue('a number', 'x', 'y'.repeat(1e6)).message.length).toBeLessThan(300);
    expect(wrongValue('a number', 'x', new Uint8Array(1e6)).message.length).toBeLessThan(300);
    const fields = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`field${at}`, at]));
    expect(wrongValue('a number', 'x', fields).message.length).toBeLessThan(400);
  });
});

describe('errors', () => {
  it('of the native engine keep their code, hint and cause', () => {
    const native = Object.assign(new Error('tensor is [2]'), {
      code: 'E_WEIGHTS_SHAPE',
      hint: 'check the file',
    });
    const error = toCraneError(native);
    expect(error).toMatchObject({
      code: 'E_WEIGHTS_SHAPE',
      message: 'tensor is [2]',
      hint: 'check the file',
      cause: native,
      exitCode: 4,
    });
    expect(error.toJSON()).toEqual({
      code: 'E_WEIGHTS_SHAPE',
      message: 'tensor is [2]',
      hint: 'check the file',
    });
  });

  it('of unknown kind are E_INTERNAL', () => {
    expect(toCraneError(new TypeError('x')).code).toBe('E_INTERNAL');
    expect(toCraneError(Object.assign(new Error('x'), { code: 'ENOENT' })).code).toBe('E_INTERNAL');
    expect(toCraneError('text')).toMatchObject({ code: 'E_INTERNAL', message: 'text' });
    expect(new CraneError('E_EXISTS', 'x').toJSON()).toEqual({ code: 'E_EXISTS', message: 'x' });
  });
});

it('the nearest name forgives case, dashes and two slips', () => {
  expect(nearestName('eattn', ['e-attn', 'd-attn'])).toBe('e-attn');
  expect(nearestName('tresholds', ['threads', 'threshold'])).toBe('threshold');
  expect(nearestName('zzzzzz', ['threads'])).toBeUndefined();
});

describe('the reference pages are those of the tables (node scripts/make-reference.mjs)', () => {
  const page = (name: string) =>
    readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), 'utf8');
  it('options.md', () => expect(page('options.md')).toBe(optionsPage(options, flagName)));
  it('errors.md', () => expect(page('errors.md')).toBe(errorsPage(errorTable)));
});
