/** Names of classes beside annotations of YOLO. */
import { expect, it } from 'vitest';
import { classNames } from '../../../../src/data/annotations/yolo.js';

it.each([
  ['a list', 'nc: 2\nnames: [pit, "a dent"]\n', ['pit', 'a dent']],
  ['a list in several lines', "names: [pit,\n  'dent'\n]\nother: [x]\n", ['pit', 'dent']],
  ['a line each', 'names:\n- pit\n- dent\n', ['pit', 'dent']],
  ['a line each with its number', 'names:\n  1: dent\n  0: pit\nnc: 2\n', ['pit', 'dent']],
  ['a list without an end before lines', 'names: [pit\nnames:\n- dent\n', ['dent']],
  ['nothing', 'nc: 2\n', []],
])('are read from %s', (_what, text, names) => {
  expect(classNames(text, true)).toEqual(names);
});

it('are sought once, however many lists have no end', () => {
  // By the square of their number this would take minutes.
  expect(classNames('names: [\n'.repeat(300_000), true)).toEqual([]);
});
