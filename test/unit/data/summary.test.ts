import { describe, expect, it } from 'vitest';
import type { DataItem, DataSet } from '../../../src/data/data-set.js';
import { summarise, summaryLines } from '../../../src/data/summary.js';

function setOf(
  name: string,
  items: readonly [className: string, isAnomalous: boolean, hasMask: boolean][],
): DataSet {
  return {
    name,
    root: '/',
    layout: 'folders',
    layoutReason: '',
    split: 'test',
    warnings: [],
    scan: { pictures: items.length, masks: 0, leftOut: [{ reason: 'rubbish', count: 2, examples: [] }] },
    items: items.map(([className, isAnomalous, hasMask]): DataItem => {
      const mask = hasMask ? '/m.png' : null;
      const masks = hasMask ? ['/m.png'] : [];
      const kind = isAnomalous ? 'hole' : 'good';
      return {
        image: '/a.png',
        imagePath: 'a.png',
        mask,
        maskPath: mask,
        masks,
        maskPaths: masks,
        className,
        kind,
        isAnomalous,
      };
    }),
  };
}

describe('the summary of data sets', () => {
  const summary = summarise([
    setOf('parts', [
      ['zip', false, false],
      ['cap', true, true],
      ['zip', true, false],
      ['zip', false, true], // the mask of a normal picture does not count
    ]),
    setOf('rings', [['constructor', false, false]]),
  ]);

  it('counts by class in the order of the items, by set and in all', () => {
    expect(summary).toMatchObject({ normal: 3, anomalous: 2, withMask: 1, withoutMask: 1 });
    expect(summary.sets[0]).toMatchObject({
      name: 'parts',
      normal: 2,
      anomalous: 2,
      withMask: 1,
      withoutMask: 1,
    });
    expect(summary.sets[0]!.classes).toEqual([
      { className: 'zip', normal: 2, anomalous: 1, withMask: 0, withoutMask: 1, hasOneLabel: false },
      { className: 'cap', normal: 0, anomalous: 1, withMask: 1, withoutMask: 0, hasOneLabel: true },
    ]);
    expect(summary.sets[1]!.classes.map(({ className }) => className)).toEqual(['constructor']);
  });

  it('says in lines what the figures will lack', () => {
    expect(summaryLines(summary)).toEqual([
      'parts (test): 2 classes, 2 normal (good) and 2 anomalous pictures; left out: 2 files and folders of rubbish',
      'parts: 1 of 2 anomalous pictures have no mask',
      'parts: pictures of one label only, so no image-level figures: cap',
      'rings (test): 1 class, 1 normal (good) and 0 anomalous pictures; left out: 2 files and folders of rubbish',
      'rings: pictures of one label only, so no image-level figures: constructor',
    ]);
  });
});
