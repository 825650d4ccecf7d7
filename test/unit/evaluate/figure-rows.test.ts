/** Several runs of one cell are one row: the mean of each figure, and how far the runs lie apart. */
import { describe, expect, it } from 'vitest';
import { figureRows } from '../../../src/evaluate/figure-rows.js';
import { namedCells } from '../../../src/evaluate/grid.js';
import { columnsFor } from '../../../src/evaluate/outputs/columns.js';
import { evaluationOf } from '../../../src/metrics/means.js';
import type { TestRun } from '../../../src/runs/test-run.js';
import { figures, sampleRun } from './sample-run.js';

function runWith(auroc: number): TestRun {
  const made = structuredClone(sampleRun());
  for (const set of made.dataSets) set.mean = evaluationOf([figures('01', auroc)]).mean;
  return made;
}

describe('a row of several runs', () => {
  const [cell] = namedCells([{ label: 'mine', choices: {} }]);
  const rowOf = (runs: TestRun[]) =>
    figureRows({ cell: cell!, runs }, columnsFor(runs[0]!.settings.limits), undefined)[0]!.cells[0]!;

  it('has the mean and the sample standard deviation, n - 1 below', () => {
    const { value, deviation } = rowOf([runWith(0.7), runWith(0.8), runWith(0.9)]);
    expect(value).toBeCloseTo(0.8, 12);
    expect(deviation).toBeCloseTo(0.1, 12);
  });

  it('of one run has no deviation', () => {
    expect(rowOf([runWith(0.7)])).toEqual({ value: 0.7 });
  });

  it('has no figure that one of the runs lacks', () => {
    const lacking = runWith(0.7);
    lacking.dataSets[0]!.mean.leftOut.image.auroc = { value: null, classes: 0 };
    expect(rowOf([runWith(0.8), lacking]).value).toBeNull();
  });
});
