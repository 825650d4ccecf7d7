/** Pictures of which only their masks tell whether they are normal: an empty mask means that they are. */
import { join } from 'node:path';
import { toCraneError } from '../../errors.js';
import { visible } from '../../terminal/visible.js';
import { eachBounded } from '../each-bounded.js';
import type { Entry, EntryReading } from '../entry.js';
import { labelMask, markedShare } from '../label-mask.js';
import type { PictureTree } from './picture-tree.js';

const k_labelsAtOnce = 4;

export interface LabelledPair {
  imagePath: string;
  maskPath: string;
}

export async function labelledByMask(
  tree: PictureTree,
  pairs: readonly LabelledPair[],
  className: string,
): Promise<EntryReading> {
  const read = await eachBounded(pairs, k_labelsAtOnce, (pair) => readPair(tree, pair, className));
  return {
    entries: read.filter((entry) => entry !== undefined),
    consulted: pairs.map(({ maskPath }) => maskPath),
    warnings: leftOutLines(
      pairs.filter((_, index) => read[index] === undefined).map(({ imagePath }) => imagePath),
      'their label cannot be read',
    ),
  };
}

/** undefined: the label is damaged, and so nobody knows what the picture is */
async function readPair(
  tree: PictureTree,
  { imagePath, maskPath }: LabelledPair,
  className: string,
): Promise<Entry | undefined> {
  const label = await labelMask(join(tree.root, maskPath), {}, tree.maskValues).catch((thrown: unknown) => {
    if (toCraneError(thrown).code === 'E_DATA_MASK_VALUES') throw thrown;
    return undefined;
  });
  if (label === undefined) return undefined;
  const isAnomalous = (await markedShare(label)) > 0;
  return {
    imagePath,
    maskPaths: isAnomalous ? [maskPath] : [],
    className,
    kind: isAnomalous ? 'defect' : 'good',
    isAnomalous,
  };
}

export function leftOutLines(paths: readonly string[], why: string): string[] {
  return paths.length === 0
    ? []
    : [`${paths.length} pictures are left out, because ${why}, for instance ${visible(paths[0]!)}`];
}
