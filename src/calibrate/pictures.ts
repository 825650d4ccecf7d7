/** The pictures that a calibration is made from: a labelled data set, or normal pictures alone. */
import { basename, resolve } from 'node:path';
import type { DataItem, DataSet, Split } from '../data/data-set.js';
import { findDataSource } from '../data/data-source.js';
import { openDataSet } from '../data/open-data-set.js';
import { refuseFaults } from '../data/place-entries.js';
import { CraneError, toCraneError } from '../errors.js';
import type { DataChoices } from '../options/types.js';
import { ScanAccount } from '../scan/scan-account.js';
import { listInputs } from '../sources/list-inputs.js';

export interface CalibrationChoice extends DataChoices {
  normalOnly: boolean;
  /** undefined: test; with normalOnly train where that has normal pictures */
  split: Split | undefined;
  layout: string;
}

/**
 * @throws CraneError E_DATA_*, E_INPUT_*; E_DATA_ONE_CLASS when a best F1 is wanted and one label is missing;
 *   E_CALIBRATE_TOO_FEW without a normal picture
 */
export async function calibrationPictures(path: string, choice: CalibrationChoice): Promise<DataSet> {
  if (choice.normalOnly) return normalPictures(path, choice);
  const { normalOnly: _, split = 'test', ...reading } = choice;
  const set = await openDataSet(path, { ...reading, split });
  const anomalous = set.items.filter(({ isAnomalous }) => isAnomalous).length;
  if (anomalous > 0 && anomalous < set.items.length) return set;
  throw new CraneError(
    'E_DATA_ONE_CLASS',
    `${path}: all ${set.items.length} pictures of the ${set.split} split are ${anomalous > 0 ? 'anomalous' : 'normal'}; a best F1 needs both`,
    { hint: anomalous > 0 ? 'add normal pictures' : 'choose by a false-alarm rate instead: --normal-only' },
  );
}

async function normalPictures(path: string, choice: CalibrationChoice): Promise<DataSet> {
  const set = (await normalOfDataSet(path, choice)) ?? (await folderOfPictures(path, choice));
  if (set.items.length > 0) return set;
  throw new CraneError('E_CALIBRATE_TOO_FEW', `${path}: has no normal picture`, {
    hint: 'name a folder of normal pictures, or a data set with some',
  });
}

async function normalOfDataSet(path: string, choice: CalibrationChoice): Promise<DataSet | undefined> {
  const { split, layout } = choice;
  const source = await findDataSource(path, choice).catch((thrown: unknown) => {
    // A folder that is no data set is a folder of pictures, unless a layout was asked for.
    if (layout === 'auto' && toCraneError(thrown).code === 'E_DATA_LAYOUT') return undefined;
    throw thrown;
  });
  if (!source) return undefined;
  for (const wanted of split === undefined ? (['train', 'test'] as const) : [split]) {
    const { set, faults } = await source.open(wanted);
    const items = set.items.filter(({ isAnomalous }) => !isAnomalous);
    if (items.length === 0) continue;
    refuseFaults(set, faults);
    return { ...set, items };
  }
  return undefined;
}

async function folderOfPictures(path: string, { followLinks = false }: CalibrationChoice): Promise<DataSet> {
  const root = resolve(path);
  const name = basename(root);
  const items: DataItem[] = [];
  const account = new ScanAccount();
  for await (const { input, name: shown } of listInputs([path], {
    recursive: true,
    followLinks,
    includeMasks: false,
    exclude: [],
    account,
    stdin: nothing(),
  })) {
    items.push({
      image: String(input),
      imagePath: shown,
      mask: null,
      maskPath: null,
      masks: [],
      maskPaths: [],
      className: name,
      kind: 'good',
      isAnomalous: false,
    });
  }
  return {
    name,
    root,
    layout: 'pictures',
    layoutReason: 'a folder of pictures, taken as normal',
    split: 'test',
    items,
    scan: account.report(),
    warnings: [],
  };
}

async function* nothing(): AsyncGenerator<string> {}
