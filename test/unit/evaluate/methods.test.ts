/** Several methods side by side: which can be scored, the published rows, the pictures that all keep, the page. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineKey, gridCells } from '../../../src/evaluate/grid.js';
import { gridFiles, gridSections } from '../../../src/evaluate/grid-table.js';
import { methodsAxis, settingsFor, withoutWords } from '../../../src/evaluate/methods-axis.js';
import { shownInAll } from '../../../src/evaluate/shown-pictures.js';
import { findMethod, methodNames } from '../../../src/methods/registry.js';
import { findModel } from '../../../src/models/find-model.js';
import { knownTokens } from '../../../src/models/known-tokens.js';
import { type ModelDescription, parseModelJson } from '../../../src/models/model-json.js';
import { comparePage } from '../../../src/pages/methods/compare-page.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder, toyModelJson } from '../engine/toy-model.js';
import { sampleRun } from './sample-run.js';

const model: ModelDescription = parseModelJson(JSON.stringify(toyModelJson), 'model.json');
const errorOf = (work: () => unknown) => {
  try {
    return work();
  } catch (thrown) {
    return thrown;
  }
};

const byRegistry = (a: string, b: string) => methodNames().indexOf(a) - methodNames().indexOf(b);

describe('--methods', () => {
  it('all: those that the model can be scored with, the others named with the reason', () => {
    const { axis, leftOut } = methodsAxis(['all'], model);
    const names = ['crane', 'crane+', ...methodNames().filter((name) => name !== 'crane')];
    const whyNot = (name: string) => {
      if (name === 'crane+') return 'toy has no spatial source';
      const { comparesWith, learned } = findMethod(name);
      if (comparesWith !== undefined) return 'compares with a bank of normal pictures';
      return name !== 'crane' && learned?.needed === true ? `nothing learned for method ${name}` : undefined;
    };
    const lacking = names.filter((name) => whyNot(name) !== undefined);
    expect(axis).toMatchObject({
      name: 'method',
      values: names.filter((name) => !lacking.includes(name)),
    });
    expect(leftOut.map(({ name }) => name)).toEqual(lacking);
    for (const { name, why } of leftOut) expect(why).toContain(whyNot(name));
    expect(errorOf(() => methodsAxis(['normals'], model))).toMatchObject({ code: 'E_USAGE' });
    const withGood = methodsAxis(['all'], model, { hasNormals: true });
    expect(withGood.axis.values).toEqual([...(axis.values as string[]), 'normals'].sort(byRegistry));
    expect(withGood.leftOut.map(({ name }) => name)).not.toContain('normals');
    expect(withGood.leftOut.find(({ name }) => name === 'both')!.why).toContain('is tested by itself');
  });

  it('all: not those whose sentences hold words that the model does not know', async () => {
    const mini = await findModel('crane-mini', {});
    const known = await knownTokens(makeFakeAddon(), mini);
    const speechless = await withoutWords(known);
    const naming = methodNames().filter((name) => findMethod(name).namesClass === true);
    expect([...speechless].sort()).toEqual([...naming].sort());
    const { axis, leftOut } = methodsAxis(['all'], mini, { speechless });
    expect(axis.values).toEqual(expect.arrayContaining(['crane']));
    expect(axis.values).not.toContain('winclip');
    expect(leftOut.find(({ name }) => name === 'winclip')!.why).toContain('crane-mini knows too few words');
    expect((await withoutWords(undefined)).size).toBe(0);
    const ids = { values: [49406], name: 'text.token_ids' };
    const table = { extra: { [ids.name]: { dtype: 'I32', data: ids.values } } };
    const folder = await makeToyFolder();
    await writeFile(join(folder, mini.weights[0]!.file), JSON.stringify(table));
    const ofFile = await knownTokens(makeFakeAddon(), { ...mini, recipes: undefined, folder } as typeof mini);
    expect(ofFile).toEqual(new Set(ids.values));
    await rm(folder, { recursive: true });
  });

  it('takes those that are named, and refuses one that is none or named twice', () => {
    expect(methodsAxis(['winclip', 'crane'], model).axis.values).toEqual(['winclip', 'crane']);
    expect(errorOf(() => methodsAxis(['winclip', 'winclip'], model))).toMatchObject({ code: 'E_USAGE' });
    expect(errorOf(() => methodsAxis(['wincilp'], model))).toMatchObject({ code: 'E_METHOD' });
    expect(errorOf(() => methodsAxis([], model))).toMatchObject({ code: 'E_USAGE' });
  });

  it('crane+ is crane with D-Attn, of a model that has a source', () => {
    const tower = toyModelJson.vision;
    const json = { ...toyModelJson, source: { weights: toyModelJson.weights[0], tower } };
    const own = parseModelJson(JSON.stringify(json), 'model.json');
    const choices = (...names: string[]) => methodsAxis(names, own).cells.map((cell) => cell.choices);
    expect(choices('crane', 'winclip', 'crane+')).toEqual([
      { method: 'crane', dAttn: false },
      { method: 'winclip' },
      { method: 'crane', dAttn: true },
    ]);
    expect(methodsAxis(['crane'], model).cells[0]!.choices).toEqual({ method: 'crane' });
    expect(errorOf(() => methodsAxis(['crane+'], model))).toMatchObject({ code: 'E_MODEL_CONFIG' });
  });

  it('gives a setting to the methods that have it, and refuses one that none has', () => {
    const { cells } = methodsAxis(['crane', 'winclip'], model);
    const given = { features: [4], windowSides: [2], out: 'x' };
    const taken = cells.map(({ choices }) => settingsFor(given, choices, cells));
    expect(taken).toEqual([
      { features: [4], out: 'x' },
      { windowSides: [2], out: 'x' },
    ]);
    expect(errorOf(() => settingsFor({ clusters: 3 }, {}, cells))).toMatchObject({ code: 'E_USAGE' });
  });

  it('opens an engine for each: a method decides how the towers run', () => {
    const cells = gridCells([methodsAxis(['winclip', 'crane'], model).axis]);
    expect(new Set(cells.map(engineKey)).size).toBe(2);
  });
});

it('pictures that all keep are chosen by the data alone', () => {
  const items = [true, false, false, true, true].map((isAnomalous) => ({ isAnomalous }));
  expect([...shownInAll(items)]).toEqual([0, 1, 3]);
  expect(shownInAll([]).size).toBe(0);
});

describe('the table', () => {
  const { axis } = methodsAxis(['crane', 'winclip'], model);
  const runs = gridCells([axis]).map((cell) => ({ cell, run: sampleRun() }));

  it('has what is published under what is ours, and says why they need not agree', () => {
    const { sections, warnings } = gridSections([axis], runs);
    expect(sections).toHaveLength(1);
    const { rows, heads } = sections[0]!;
    expect(rows.map(({ label, isPublished }) => [label, isPublished])).toEqual([
      ['crane', false],
      ['published: Crane', true],
      ['winclip', false],
      ['published: Crane', true],
    ]);
    // tables 1 and 8: BTAD, Crane
    expect(rows[1]!.cells.slice(0, 3)).not.toEqual(rows[0]!.cells.slice(0, 3));
    expect(rows[1]!.cells[heads.indexOf('pixel AP')]).toBe('n/a');
    expect(warnings.some((text) => text.includes('not comparable:'))).toBe(true);
    expect(gridFiles([axis], runs)['grid.csv']).toContain('published: Crane');
  });

  it('stands on the page with the maps, and no name becomes markup', () => {
    const { sections } = gridSections([axis], runs);
    const compared = runs.map(({ cell, run }) => ({ label: cell.texts[0]!, folder: '', run }));
    const picture = {
      dataSet: 'mine',
      className: '<b>01</b>',
      path: 'a.png',
      isAnomalous: true,
      views: [undefined, undefined],
    };
    const page = [
      ...comparePage({
        title: '2 methods',
        tables: sections,
        notes: ['<set>: its note'],
        runs: compared,
        pictures: { pictures: [picture], notes: ['a.png cannot be shown'] },
        warnings: ['vand is left out: <why>'],
      }),
    ].join('');
    expect(page).toContain('<tr class="published">');
    expect(page).toContain('vand is left out: &lt;why&gt;');
    expect(page).toContain('<p class="notes">&lt;set&gt;: its note</p>');
    expect(page).toContain('&lt;b&gt;01&lt;/b&gt;: a.png (anomalous)');
    expect(page).toContain('winclip: not shown');
    expect(page).not.toContain('<b>01');
  });

  it('begins with a few warnings, and folds the others without losing one', () => {
    const words = ['first', 'second', 'third', 'fourth', 'fifth'];
    const pageOf = (warnings: string[]) =>
      [
        ...comparePage({
          title: '2 methods',
          tables: [],
          notes: [],
          runs: [],
          pictures: { pictures: [], notes: [] },
          warnings,
        }),
      ].join('');
    const [open, folded] = pageOf(words).split('<details>');
    expect(words.filter((word) => open!.includes(`<li>${word}</li>`))).toEqual(words.slice(0, 3));
    expect(folded).toContain('<summary>2 more');
    expect(words.filter((word) => folded!.includes(`<li>${word}</li>`))).toEqual(words.slice(3));
    expect(pageOf(words.slice(0, 3))).not.toContain('<details>');
  });
});
