/** The pictures that a calibration is made from: a labelled data set, or normal pictures alone. */
import { basename, dirname, resolve } from 'node:path';
import type { DataItem, DataSet, Split } from '../data/data-set.js';
import { type DataSource, findDataSource } from '../data/data-source.js';
import { FolderLabels } from '../data/folder-labels.js';
import { UnknownLayout } from '../data/layouts/choose.js';
import { openDataSet } from '../data/open-data-set.js';
import { refuseFaults } from '../data/place-entries.js';
import { CraneError } from '../errors.js';
import type { DataChoices } from '../options/types.js';
import { ScanAccount } from '../scan/scan-account.js';
import { listInputs } from '../sources/list-inputs.js';

export interface CalibrationChoice extends DataChoices {
  normalOnly: boolean;
  /** undefined: test; with normalOnly train where that has normal pictures, else test */
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
  const source = await dataSourceAt(path, choice);
  if (source === undefined) {
    const set = await folderOfPictures(path, choice);
    if (set.items.length > 0) return set;
    throw withoutNormal(`${path}: has no picture`);
  }
  const splits = choice.split === undefined ? (['train', 'test'] as const) : [choice.split];
  for (const split of splits) {
    const { set, faults } = await source.open(split);
    const items = set.items.filter(({ isAnomalous }) => !isAnomalous);
    if (items.length === 0) continue;
    refuseFaults(set, faults);
    return { ...set, items };
  }
  const where = choice.split === undefined ? '' : ` in its ${choice.split} split`;
  throw withoutNormal(`${path}: has no normal picture${where} (${source.layout}: ${source.reason})`);
}

function withoutNormal(message: string): CraneError {
  return new CraneError('E_CALIBRATE_TOO_FEW', message, {
    hint: 'name a folder of normal pictures, or a data set with some',
  });
}

/** @returns undefined: a folder of pictures that says nothing of a data set, and nothing of one was asked for */
async function dataSourceAt(path: string, choice: CalibrationChoice): Promise<DataSource | undefined> {
  const { split, normalFolder = [], anomalousFolder = [], unknownFolders = 'stop' } = choice;
  const isLabelled = normalFolder.length > 0 || anomalousFolder.length > 0 || unknownFolders !== 'stop';
  const isDataSet = split !== undefined || isLabelled;
  return findDataSource(path, choice).catch((thrown: unknown) => {
    if (thrown instanceof UnknownLayout && !isDataSet) return undefined;
    throw thrown;
  });
}

async function folderOfPictures(path: string, { followLinks = false }: CalibrationChoice): Promise<DataSet> {
  const root = resolve(path);
  const name = basename(root);
  const items: DataItem[] = [];
  const account = new ScanAccount();
  const labels = new FolderLabels();
  for await (const { input, name: shown, place } of listInputs([path], {
    recursive: true,
    followLinks,
    includeMasks: false,
    exclude: [],
    account,
    stdin: nothing(),
  })) {
    const anomalous = dirname(place)
      .split('/')
      .find((folder) => labels.isAnomalous(folder));
    if (anomalous !== undefined)
      throw new CraneError(
        'E_DATA_LABELS',
        `${shown}: by the name of its folder ${anomalous} it is not normal`,
        {
          hint: 'name the folder of the normal pictures alone',
        },
      );
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
