/** The paper's figures of one data set beside ours. */

import { methodName } from '../../methods/descriptor.js';
import type { TestSettings } from '../test-run.js';
import { errataOf } from './errata.js';
import { presets } from './presets.js';
import type { PublishedComparison, PublishedRow } from './published.js';
import { type Column, type PrintedRow, printedSets } from './tables.js';

/** The size of the paper's pictures (method.md 2). */
const k_paperSide = 518;

/** @param published name of the layout that the set is a copy of; @returns null when the paper prints nothing of it */
export function compareWithPaper(
  published: string | null,
  settings: TestSettings,
): PublishedComparison | null {
  // The columns that are kept are Crane's.
  if (methodName(settings.method) !== 'crane') return null;
  if (published === null || !Object.hasOwn(printedSets, published)) return null;
  const printed = printedSets[published]!;
  const column = columnOf(settings);
  const { texts, areRowsDoubtful } = errataOf(published);
  return {
    dataSet: printed.printedAs,
    column,
    tables: [...printed.tables],
    mean: toRow(printed.mean[column]),
    classes: Object.fromEntries(
      Object.entries(printed.classes).map(([name, columns]) => [name, toRow(columns[column])]),
    ),
    areRowsDoubtful,
    errata: [...texts],
    notComparable: notComparable(published, settings),
  };
}

function columnOf({ preset, method }: TestSettings): Column {
  if (preset !== null) return presets[preset].column;
  return method['dAttn'] ? 'Crane+' : 'Crane';
}

function toRow({ image, pixel }: PrintedRow): PublishedRow {
  return {
    image: image && { auroc: image[0], ap: image[1], f1Max: image[2] },
    pixel: pixel && { auroc: pixel[0], aupro: pixel[1], f1Max: pixel[2] },
  };
}

function notComparable(published: string, settings: TestSettings): string[] {
  const { modelName, prompts, preset, size, fit, split } = settings;
  const reasons: string[] = [];
  if (modelName !== 'crane' && modelName !== 'crane+')
    reasons.push(`the paper's weights are those of crane and crane+; these are ${modelName}`);
  const wanted = published === 'mvtec' ? 'visa' : 'mvtec';
  const learnedOn = prompts?.learnedOn?.map((name) => name.toLowerCase());
  if (learnedOn === undefined) reasons.push('the prompts do not say what they were learned on');
  else if (learnedOn.length !== 1 || learnedOn[0] !== wanted) {
    const names = prompts!.learnedOn!.join(', ') || 'nothing';
    reasons.push(`the paper's prompts were learned on ${wanted} for this set; these on ${names}`);
  }
  const epoch = preset === null ? undefined : presets[preset].epoch;
  const own = /epoch_(\d+)\.pth$/.exec(prompts?.name ?? '')?.[1];
  if (epoch !== undefined && own !== undefined && Number(own) !== epoch)
    reasons.push(`the paper took the prompts of epoch ${epoch}; these are of epoch ${own}`);
  if (preset === null) reasons.push("no preset was given: the method's settings may be others");
  if (size.width !== k_paperSide || size.height !== k_paperSide || fit !== 'stretch')
    reasons.push(
      `the paper's pictures are stretched to ${k_paperSide} x ${k_paperSide}; here ${fit}, ${size.width} x ${size.height}`,
    );
  if (split !== 'test') reasons.push(`the paper's figures are of the test split; these of ${split}`);
  return reasons;
}
