/** The paper's tables 2, 5 and 6: what is printed, which settings a row is, what stands beside ours. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { publishedSets } from '../../../src/data/layouts/registry.js';
import { paperGrid } from '../../../src/evaluate/paper-grid.js';
import { experimentModels } from '../../../src/evaluate/paper-models.js';
import { paperExperiments } from '../../../src/runs/paper/experiments.js';
import type { PrintedFigures } from '../../../src/runs/paper/published.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { writeToySet } from '../train/toy-set.js';
import { useWorkplace } from '../train/workplace.js';

const rowsOf = (name: keyof typeof paperExperiments) => paperExperiments[name].rows;
const f1Of = ({ image, pixel }: PrintedFigures) =>
  [image?.f1Max, pixel?.f1Max].filter((f1) => f1 !== undefined);
const meanF1 = (printed: Readonly<Record<string, PrintedFigures>>) => {
  const all = Object.values(printed).flatMap(f1Of);
  return all.reduce((sum, f1) => sum + f1, 0) / all.length;
};

describe('what is printed', () => {
  it('gains what the text says that fusion and guidance gain in F1max: 1.9 and 0.9', () => {
    for (const [table, gain] of [
      ['2a', 1.9],
      ['2b', 0.9],
    ] as const) {
      const [without, withIt] = rowsOf(table).map(({ printed }) => meanF1(printed));
      expect(Math.abs(withIt! - without! - gain)).toBeLessThanOrEqual(0.051);
    }
  });

  it('has the same default row in b, c and d, but for the one figure that is told', () => {
    const [b, c, d] = (['2b', '2c', '2d'] as const).map((table) => rowsOf(table).at(-1)!.printed);
    expect(d).toEqual(b);
    const { pixel: ofC, ...rest } = c!['mvtec']!;
    expect({ ...rest, pixel: { ...ofC, auroc: 92.1 } }).toEqual(b!['mvtec']);
    expect(ofC!.auroc).toBe(92.4);
    expect(c!['visa']).toEqual(b!['visa']);
  });

  it('averages in table 5 as its rows do, to the last digit printed', () => {
    for (const { printed } of rowsOf('5')) {
      const { average, ...sets } = printed;
      for (const [level, names] of [
        ['image', ['auroc', 'ap', 'f1Max']],
        ['pixel', ['auroc', 'aupro', 'f1Max']],
      ] as const) {
        const own = Object.values(sets).map((of) => of[level] as Record<string, number> | null);
        const known = own.filter((row) => row !== null);
        expect(known).toHaveLength(level === 'image' ? 3 : 4);
        for (const name of names) {
          const mean = known.reduce((sum, row) => sum + row[name]!, 0) / known.length;
          const shown = (average![level] as Record<string, number>)[name]!;
          expect(Math.abs(mean - shown)).toBeLessThan(0.11);
        }
      }
    }
  });

  it('is of data sets that are known', () => {
    const known = publishedSets.map(({ name }) => name);
    for (const { rows, average } of Object.values(paperExperiments)) {
      const names = rows.flatMap(({ printed }) => Object.keys(printed)).filter((name) => name !== 'average');
      for (const name of [...names, ...(average?.sets ?? [])]) expect(known).toContain(name);
    }
  });
});

describe('the rows', () => {
  const choicesOf = (table: keyof typeof paperExperiments, model?: string) =>
    paperGrid({ table, model, preset: undefined, method: undefined }).cells.map(({ choices }) => choices);

  it("are the published settings, each with its own part; models beside each other's names", () => {
    expect(choicesOf('2a')).toEqual([
      { model: 'crane+', preset: 'crane+', comparePaper: true, fusion: false },
      { model: 'crane+', preset: 'crane+', comparePaper: true, fusion: true },
    ]);
    expect(
      choicesOf('2d', 'synth-crane+').map(({ model, dAttn, dAttnMaps }) => [model, dAttn ?? dAttnMaps]),
    ).toEqual([
      ['synth-crane+', false],
      ['synth-crane+dino', 'dattn'],
      ['synth-crane+', 'dattn'],
      ['synth-crane+', 'both'],
    ]);
    expect(choicesOf('6', 'my/models/crane+/').map(({ model }) => model)).toEqual([
      'my/models/crane+sam',
      'my/models/crane+',
    ]);
  });

  it('run on another model with its own settings, where one model can be them', () => {
    expect(choicesOf('2c', 'crane-mini')[0]).toEqual({
      model: 'crane-mini',
      comparePaper: true,
      eAttn: 'kk',
    });
    expect(() => choicesOf('2d', 'crane-mini')).toThrow('crane-mini is one model');
    expect(() => experimentModels(paperExperiments['6'].rows, '6', 'mycrane+')).toThrow('is one model');
  });

  it('of table 5 is that of the method that is tested', () => {
    const grid = paperGrid({ table: '5', model: 'x', preset: undefined, method: 'vand' });
    expect(grid.cells.map(({ label }) => label)).toEqual(['VAND']);
    expect(() => paperGrid({ table: '5', model: 'x', preset: undefined, method: 'normals' })).toThrow(
      'has no row of method normals',
    );
  });
});

describe('test --paper-table', () => {
  const work = useWorkplace();
  const test = (data: string[], args: string[]) =>
    runInProcess(
      ['test', ...data, '--model', work.model.folder, '--bootstrap', '0', '--no-report', ...args],
      { env: work.env, addon: makeTestAddon() },
    );
  const table = async (out: string): Promise<Record<string, string>[]> =>
    parse(await readFile(join(out, 'grid.csv'), 'utf8'), { columns: true });

  it('puts the printed row below each of ours, of the sets and of their average', async () => {
    const skin = await writeToySet(work.at('isic'), { className: 'skin', normal: 0 });
    const brain = await writeToySet(work.at('headct'), { className: 'brain', masks: 0, from: 90 });
    const out = work.at('t5');
    const run = await test([skin, brain], ['--paper-table', '5', '--out', out]);
    expect(run.stderr).toContain('table 5: prompts learned on medical pictures');
    expect(run.code).toBe(0);
    const rows = await table(out);
    expect(rows.map((row) => [row['data_set'], row['table 5']])).toEqual([
      ['isic', 'Crane+'],
      ['isic', 'published'],
      ['headct', 'Crane+'],
      ['headct', 'published'],
      ['average of 2 data sets', 'Crane+'],
      ['average of 2 data sets', 'published'],
    ]);
    expect(Number(rows[1]!['pixel_auroc'])).toBeCloseTo(0.915, 12);
    expect(rows[1]!['image_auroc']).toBe('');
    expect(Number(rows[3]!['image_f1max'])).toBeCloseTo(0.92, 12);
    // A figure of the average is over the sets that have it.
    expect(rows[4]!['image_auroc']).toBe(rows[2]!['image_auroc']);
    expect(rows[4]!['pixel_auroc']).toBe(rows[0]!['pixel_auroc']);
    expect(run.stdout).toContain('not comparable: the printed average is over headct');
    expect(run.stdout).toMatch(/isic, headct: not comparable: the paper's weights are those of crane\+;/);
    expect(run.stdout).toContain('the paper does not say here which medical pictures');
  });

  it.each([
    [['--paper-table', '2b'], 'train LEARNED-FROM --paper-table 2b --then-test'],
    [['--paper-table', '2a', '--no-fusion'], 'the rows of table 2a set fusion themselves'],
    [['--paper-table', '2a', '--compare-paper'], '--paper-table takes no --compare-paper'],
    [['--paper-table', '2a', '--grid', 'sigma=1,2'], '--paper-table takes no --grid'],
    [['--paper-table', '3'], 'Expected one of 2a, 2b, 2c, 2d, 5, 6 for --paper-table but received "3"'],
  ])('%j is refused', async (args, message) => {
    const run = await test([work.set], [...args, '--out', work.at('refused')]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
  });
});
