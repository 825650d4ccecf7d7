import { describe, expect, it } from 'vitest';
import { publishedSets } from '../../../src/data/layouts/registry.js';
import { compareWithPaper } from '../../../src/runs/paper/compare.js';
import { errataOf } from '../../../src/runs/paper/errata.js';
import { presets } from '../../../src/runs/paper/presets.js';
import { printedSets } from '../../../src/runs/paper/tables.js';
import { settings } from '../evaluate/sample-run.js';

describe("the paper's tables", () => {
  it('use the names of data sets and classes that are read here', () => {
    for (const [name, { classes }] of Object.entries(printedSets)) {
      const known = publishedSets.find((set) => set.name === name);
      expect(known, name).toBeDefined();
      const listed = Object.keys(classes);
      if (listed.length > 0) expect(listed.sort()).toEqual([...known!.classes].sort());
    }
    // Endo is in no table of figures.
    expect(Object.keys(printedSets)).toHaveLength(publishedSets.length - 1);
  });

  /** Files as the reference opens them. */
  const asPaperReads = { maskGrey: true, exif: false };

  /** Rounding of the rows and of the mean. */
  const k_rounding = 0.11;

  it('have the means of their rows, but where the errata say otherwise', () => {
    const wrong = new Set<string>();
    let compared = 0;
    for (const [name, { classes, mean }] of Object.entries(printedSets)) {
      const rows = Object.values(classes);
      if (rows.length === 0) continue;
      for (const column of ['Crane', 'Crane+'] as const)
        for (const level of ['image', 'pixel'] as const)
          for (const figure of [0, 1, 2] as const) {
            const sum = rows.reduce((total, row) => total + row[column][level]![figure], 0);
            compared++;
            if (Math.abs(sum / rows.length - mean[column][level]![figure]) > k_rounding) wrong.add(name);
          }
    }
    expect(compared).toBe(72);
    for (const name of wrong) expect(errataOf(name).texts.length, name).toBeGreaterThan(0);
    expect(wrong).not.toContain('mvtec');
  });

  it('give MVTec as printed', () => {
    const found = compareWithPaper('mvtec', { ...settings, preset: 'crane+' })!;
    expect(found).toMatchObject({
      dataSet: 'MVTec',
      column: 'Crane+',
      tables: [1, 15, 16],
      mean: {
        image: { auroc: 93.9, ap: 97.6, f1Max: 93.6 },
        pixel: { auroc: 91.2, aupro: 88.1, f1Max: 43.8 },
      },
      areRowsDoubtful: false,
      errata: [],
    });
    expect(found.classes['zipper']!.pixel).toEqual({ auroc: 97.3, aupro: 89.3, f1Max: 54.9 });
  });

  it('have a column of each compared system, with the sets and classes that are printed', () => {
    const of = (method: string, side: number) => ({
      ...settings,
      ...asPaperReads,
      preset: null,
      modelName: method,
      method: { ...settings.method, name: method },
      size: { width: side, height: side },
    });
    const winclip = compareWithPaper('mvtec', of('winclip', 240))!;
    expect(winclip).toMatchObject({
      column: 'WinCLIP',
      mean: {
        image: { auroc: 91.8, ap: 96.5, f1Max: 92.9 },
        pixel: { auroc: 85.1, aupro: 64.6, f1Max: 31.6 },
      },
      // tables 7 to 18 have no column of it
      classes: {},
      notComparable: [],
    });
    expect(compareWithPaper('mvtec', { ...of('winclip', 518), modelName: 'mine' })!.notComparable).toEqual([
      "the paper's figures of winclip are of ViT-B-16-plus-240; these of mine",
      "the paper's pictures are stretched to 240 x 240; here stretch, 518 x 518",
    ]);
    const anovl = compareWithPaper('btad', of('anovl', 240))!;
    expect(anovl.classes['01']).toEqual({
      image: { auroc: 94.8, ap: 97.9, f1Max: 92.8 },
      pixel: { auroc: 93.8, aupro: 56, f1Max: 46.2 },
    });
    expect(Object.keys(anovl.classes)).toEqual(Object.keys(printedSets['btad']!.classes));
  });

  it('are comparable only with their own weights, prompts, size and epoch', () => {
    const own = {
      ...settings,
      ...asPaperReads,
      modelName: 'crane',
      preset: 'crane' as const,
      size: { width: 518, height: 518 },
    };
    const prompts = { ...settings.prompts!, name: '/a/epoch_5.pth', learnedOn: ['mvtec'] };
    expect(compareWithPaper('visa', { ...own, prompts })!.notComparable).toEqual([]);
    // MVTec itself takes prompts of VisA.
    expect(compareWithPaper('mvtec', { ...own, prompts })!.notComparable).toHaveLength(1);
    expect(
      compareWithPaper('visa', { ...own, prompts: { ...prompts, name: 'epoch_4.pth' } })!.notComparable,
    ).toEqual(['the paper took the prompts of epoch 5; these are of epoch 4']);
    expect(
      compareWithPaper('visa', { ...own, prompts: { ...prompts, learnedOn: null } })!.notComparable,
    ).toEqual(['the prompts do not say what they were learned on']);
    expect(compareWithPaper('visa', { ...own, prompts, exif: true, maskGrey: false })!.notComparable).toEqual(
      [expect.stringContaining('compat.maskGrey is off'), expect.stringContaining('compat.exif turns them')],
    );
  });
});

describe('presets', () => {
  it('are those of the published settings', () => {
    expect(
      Object.entries(presets).map(([name, { choices, epoch, source }]) => [
        name,
        choices.features?.join(' '),
        choices.softMean,
        choices.dAttn,
        source,
        epoch,
      ]),
    ).toEqual([
      ['crane', '6 12 18 24', true, false, null, 5],
      ['crane+', '24', false, true, 'dinov2', 5],
      ['crane+-dagm', '24', true, true, 'dinov2', 5],
      ['crane+-medical', '24', true, true, 'dinov2', 1],
    ]);
  });
});
