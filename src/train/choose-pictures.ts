/** Opens the data sets of a training and chooses the pictures to learn from. Reads no picture. */
import type { DataItem, DataSet } from '../data/data-set.js';
import { openDataSets } from '../data/open-data-set.js';
import { sampleKShot, samplePortion } from '../data/sample.js';
import { CraneError } from '../errors.js';
import type { TrainSettings } from '../runs/train-settings.js';
import { leaveOut } from './leave-out.js';

/** A picture with what its set says about it. */
export interface ChosenItem extends DataItem {
  set: string;
  /** of its set: two sets may have one name */
  root: string;
  /** whether the pixels of its class are labelled: only then a normal picture without a mask is normal everywhere */
  classHasMasks: boolean;
}

export interface OpenedData {
  sets: DataSet[];
  items: ChosenItem[];
  notes: string[];
}

/** @throws CraneError E_DATA_*, E_USAGE when a path to leave out is in no set */
export async function openData(paths: readonly string[], settings: TrainSettings): Promise<OpenedData> {
  const sets = await openDataSets(paths, settings);

  const isLeftOut = await leaveOut(
    settings.leaveOut,
    sets.flatMap((set) => set.items.map(({ image }) => image)),
  );
  const items = sets.flatMap((set) => {
    const withMasks = new Set(
      set.items.filter(({ mask }) => mask !== null).map(({ className }) => className),
    );
    return set.items
      .filter(({ image }) => !isLeftOut.has(image))
      .map((item) => ({
        ...item,
        set: setName(set),
        root: set.root,
        classHasMasks: withMasks.has(item.className),
      }));
  });
  const notes = sets.flatMap(({ name, warnings }) => warnings.map((warning) => `${name}: ${warning}`));
  if (isLeftOut.size > 0)
    notes.push(isLeftOut.size === 1 ? '1 picture is left out' : `${isLeftOut.size} pictures are left out`);
  return { sets, items, notes };
}

/** The part that `portion`, `kShot` and the seed of a run take, and what is unusual about it. */
export function choosePictures(
  { items }: OpenedData,
  { portion, kShot, allowOneClass, imageLossWeight }: TrainSettings,
  seed: number,
): { items: ChosenItem[]; notes: string[] } {
  const notes: string[] = [];
  const bySet = [...new Set(items.map(({ root }) => root))].map((root) =>
    items.filter((item) => item.root === root),
  );
  const chosen = bySet.flatMap((ofSet) => {
    const part = portion < 1 ? samplePortion(ofSet, portion, seed) : ofSet;
    if (kShot === undefined) return part;
    const sampled = sampleKShot(part, kShot, seed);
    notes.push(...sampled.warnings.map((warning) => `${ofSet[0]!.set}: ${warning}`));
    return sampled.items;
  });
  checkLabels(chosen, allowOneClass);
  notes.push(...notesOnMasks(chosen));
  if ((imageLossWeight ?? 0) === 0 && !chosen.some(hasPixels)) {
    throw new CraneError(
      'E_USAGE',
      'no picture has a mask and the image loss has no weight: nothing can be learned',
      imageLossWeight === undefined
        ? { hint: 'the method learns from masks alone' }
        : { hint: 'learn from the labels of pictures: --image-loss-weight 0.2' },
    );
  }
  return { items: chosen, notes };
}

/** Whether the pixels of a picture are labelled. */
export function hasPixels({ isAnomalous, mask, classHasMasks }: ChosenItem): boolean {
  return isAnomalous ? mask !== null : classHasMasks;
}

/** The name under which reports speak of a set: the published one where it is a copy of such. */
export function setName({ name, published }: DataSet): string {
  return published ?? name;
}

function checkLabels(items: readonly ChosenItem[], allowOneClass: boolean): void {
  if (items.length === 0) throw new CraneError('E_DATA_EMPTY', 'no picture is left to learn from');
  const anomalous = items.filter(({ isAnomalous }) => isAnomalous).length;
  if (allowOneClass || (anomalous > 0 && anomalous < items.length)) return;
  const what = anomalous === 0 ? 'normal' : 'anomalous';
  throw new CraneError('E_DATA_ONE_CLASS', `all ${items.length} pictures are ${what}, expected both kinds`, {
    hint:
      anomalous === 0
        ? 'add a data set with defects: what a defect is cannot be learned from normal pictures'
        : 'their masks teach pixels all the same: --allow-one-class',
  });
}

function notesOnMasks(items: readonly ChosenItem[]): string[] {
  const classes = new Map<string, { normal: number; anomalous: number }>();
  for (const item of items) {
    if (hasPixels(item)) continue;
    const name = `${item.set}/${item.className}`;
    const counts = classes.get(name) ?? { normal: 0, anomalous: 0 };
    counts[item.isAnomalous ? 'anomalous' : 'normal']++;
    classes.set(name, counts);
  }
  return [...classes].map(
    ([name, { normal, anomalous }]) =>
      `${name}: ${anomalous} anomalous and ${normal} normal pictures without masks teach the image loss only`,
  );
}
