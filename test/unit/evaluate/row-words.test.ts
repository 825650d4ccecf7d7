/** What the runs of a grid say, beside one table. */
import { expect, it } from 'vitest';
import { gridCells, parseGrid } from '../../../src/evaluate/grid.js';
import { notesOfRows, warningsOfRows } from '../../../src/evaluate/row-words.js';
import type { TestRun } from '../../../src/runs/test-run.js';
import { sampleRun } from './sample-run.js';

const cells = gridCells(parseGrid(['sigma=1,2,3,4,5,6']));
const row = (at: number, ...runs: TestRun[]) => ({ cell: cells[at]!, runs });

function run(warnings: string[], ...notes: string[][]): TestRun {
  const made = structuredClone(sampleRun());
  const [set] = made.dataSets;
  const dataSets = notes.map((own, at) => ({ ...structuredClone(set!), name: `set${at}`, notes: own }));
  return { ...made, warnings, dataSets };
}

it('names the rows that a warning holds for, unless it holds for all', () => {
  const all = [row(0, run(['of all', 'of two'])), row(1, run(['of all', 'of two'])), row(2, run(['of all']))];
  expect(warningsOfRows(all)).toEqual(['of all', 'of two (sigma=1; sigma=2)']);
});

it('counts several runs of a row as one, and no row that has none', () => {
  expect(warningsOfRows([row(0, run(['a']), run(['a'])), row(1)])).toEqual(['a']);
  expect(warningsOfRows([row(0, run(['a']), run([])), row(1, run([]))])).toEqual(['a (sigma=1)']);
});

it('counts rows where they are many', () => {
  const five = [0, 1, 2, 3, 4].map((at) => row(at, run(['a'])));
  expect(warningsOfRows([...five, row(5, run([]))])).toEqual(['a (5 of 6 rows, first sigma=1)']);
});

it('sets the data sets of which a note holds before it, each with its rows', () => {
  const all = [row(0, run([], ['both', 'one'], ['both'])), row(1, run([], ['both'], ['both']))];
  expect(notesOfRows(all)).toEqual(['set0, set1: both', 'set0: one (sigma=1)']);
});
