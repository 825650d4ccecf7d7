/** P4: a grid over an option that changes nothing says so. */
import { describe, expect, it } from 'vitest';
import { gridCells, parseGrid } from '../../../src/evaluate/grid.js';
import { gridFiles } from '../../../src/evaluate/grid-table.js';
import { evaluationOf } from '../../../src/metrics/means.js';
import type { TestRun } from '../../../src/runs/test-run.js';
import { figures, sampleRun } from './sample-run.js';

const warningsOf = (texts: string[], runOf: (label: string) => TestRun) => {
  const axes = parseGrid(texts);
  const runs = gridCells(axes).map((cell) => ({ cell, run: runOf(cell.label) }));
  return (JSON.parse(gridFiles(axes, runs)['grid.json']) as { warnings: string[] }).warnings;
};
const about = (warnings: string[]) => warnings.filter((text) => text.startsWith('no figure depends'));

/** The sample with other settings, and with another mean. */
function run(settings: object, by = 0): TestRun {
  const made = structuredClone(sampleRun());
  Object.assign(made.settings.method, settings);
  for (const set of made.dataSets) set.mean = evaluationOf([figures('01', 0.8 + by)]).mean;
  return made;
}

describe('P4: an axis on which no figure depends', () => {
  it('is told with the reason where the option cannot matter', () => {
    const [warning] = about(warningsOf(['fusion=true,false'], () => run({ imageScore: 'map-max' })));
    expect(warning).toMatch(/^no figure depends on fusion, and none can: the score is the map's maximum/);
  });

  it('is told without a reason where none is known', () => {
    const found = about(warningsOf(['softMean=true,false', 'sigma=1'], () => run({})));
    expect(found).toEqual(['no figure depends on softMean: all of its values give the same']);
  });

  it('is none where a single combination differs', () => {
    const runOf = (label: string) => run({}, label === 'softMean=true sigma=2' ? 0.001 : 0);
    expect(about(warningsOf(['softMean=true,false', 'sigma=1,2'], runOf))).toEqual([]);
  });
});
