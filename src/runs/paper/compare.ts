/** The paper's figures of one data set beside ours. */

import { methodOf } from '../../methods/registry.js';
import { backbones } from '../../models/backbones.js';
import type { TestSettings } from '../test-run.js';
import { printedColumn } from './columns.js';
import { errataOf } from './errata.js';
import { presets } from './presets.js';
import type { PublishedComparison, PublishedRow } from './published.js';
import { type PrintedRow, printedSets } from './tables.js';

/** The size of the paper's pictures (method.md 2). */
const k_paperSide = 518;

/** Systems on a backbone whose positions are not fitted have that one's size. */
function sideOf(backbone: string | undefined): number {
  return backbone === 'ViT-B-16-plus-240' ? backbones[backbone].side : k_paperSide;
}

/** @param published name of the layout that the set is a copy of; @returns null when the paper prints nothing of it */
export function compareWithPaper(
  published: string | null,
  settings: TestSettings,
): PublishedComparison | null {
  if (published === null || !Object.hasOwn(printedSets, published)) return null;
  const printed = printedSets[published]!;
  const column = printedColumn(published, settings);
  if (!column) return null;
  const { texts, areRowsDoubtful } = errataOf(published);
  return {
    dataSet: printed.printedAs,
    column: column.title,
    tables: [...printed.tables],
    mean: toRow(column.mean),
    classes: Object.fromEntries(Object.entries(column.classes).map(([name, row]) => [name, toRow(row)])),
    areRowsDoubtful,
    errata: [...texts],
    notComparable: notComparable(published, settings),
  };
}

function toRow({ image, pixel }: PrintedRow): PublishedRow {
  return {
    image: image && { auroc: image[0], ap: image[1], f1Max: image[2] },
    pixel: pixel && { auroc: pixel[0], aupro: pixel[1], f1Max: pixel[2] },
  };
}

/** What a table's figures were made with, where it is not what tables 1 and 7 to 18 were. */
export interface Expected {
  /** names of the models of its weights */
  models?: readonly string[];
  learnedOn?: string;
}

/** Why published and own figures need not agree, a sentence each. */
export function notComparable(
  published: string,
  settings: TestSettings,
  { models = ['crane', 'crane+'], learnedOn: expected }: Expected = {},
): string[] {
  const { modelName, prompts, normals, preset, size, fit, split, maskGrey = false, exif } = settings;
  const { name: method, backbone, learned } = methodOf(settings.method);
  const isOurs = method === 'crane';
  const reasons: string[] = [];
  if (isOurs && !models.includes(modelName))
    reasons.push(`the paper's weights are those of ${models.join(' and ')}; these are ${modelName}`);
  // What a model stands on is not to be told from its name.
  if (!isOurs && modelName !== method)
    reasons.push(
      `the paper's figures of ${method} are of ${backbone?.name ?? 'its own weights'}; these of ${modelName}`,
    );
  const wanted = expected ?? (published === 'mvtec' ? 'visa' : 'mvtec');
  const learnedOn = prompts?.learnedOn?.map((name) => name.toLowerCase());
  if (learned === null) {
    // nothing to be the same
  } else if (learnedOn === undefined) reasons.push('the prompts do not say what they were learned on');
  else if (learnedOn.length !== 1 || learnedOn[0] !== wanted) {
    const names = prompts!.learnedOn!.join(', ') || 'nothing';
    reasons.push(`the paper's prompts were learned on ${wanted} for this set; these on ${names}`);
  }
  if (normals !== undefined)
    reasons.push(
      `these pictures were compared with ${normals.pictures.length} normal ones; the paper's figures are zero-shot`,
    );
  const epoch = preset === null ? undefined : presets[preset].epoch;
  const own = /epoch_(\d+)\.pth$/.exec(prompts?.name ?? '')?.[1];
  if (epoch !== undefined && own !== undefined && Number(own) !== epoch)
    reasons.push(`the paper took the prompts of epoch ${epoch}; these are of epoch ${own}`);
  if (isOurs && preset === null) reasons.push("no preset was given: the method's settings may be others");
  const side = sideOf(backbone?.name);
  if (size.width !== side || size.height !== side || fit !== 'stretch')
    reasons.push(
      `the paper's pictures are stretched to ${side} x ${side}; here ${fit}, ${size.width} x ${size.height}`,
    );
  if (!maskGrey)
    reasons.push(
      'the reference counts every mask value above 0 after conversion to grey, the noise of JPEG too; here compat.maskGrey is off',
    );
  if (exif) reasons.push('the reference opens pictures as they are stored; here compat.exif turns them');
  if (split !== 'test') reasons.push(`the paper's figures are of the test split; these of ${split}`);
  return reasons;
}
