/** What the service keeps for its clients, in the folder that the operator names. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../../errors.js';
import { claim } from '../../files/folder-lock.js';
import type { HeldLock } from '../../files/lock-file.js';
import { codedWriteError } from '../../files/write-whole.js';
import { bankFields } from '../../normals/read-bank-facts.js';
import type { Log } from '../log.js';
import type { ServiceSettings } from '../settings.js';
import { KeptFolder } from './kept-folder.js';

const whole = z.int().min(0);

/** Clients are told all that a bank says of itself, but what holds of the operator's model. */
const { model: _, towers: __, beside: ___, reading, asStored, method, settings, ...told } = bankFields;

const bankSchema = z.object({
  name: z.string(),
  bytes: whole,
  /** as the service calls it */
  model: z.string(),
  created: z.iso.datetime(),
  /** `both`: it can stand beside prompts */
  evidence: z.enum(['normals', 'both']).default('normals'),
  ...told,
});
export type AboutBank = z.infer<typeof bankSchema>;

const threshold = z.looseObject({ threshold: z.number() });
const calibrationSchema = z.strictObject({
  name: z.string(),
  bytes: whole,
  model: z.string(),
  created: z.iso.datetime(),
  /** of the request that made it: they are taken again with its thresholds */
  options: z.record(z.string(), z.unknown()),
  /** name of a bank */
  normals: z.string().nullable(),
  settings: z.string(),
  rule: z.enum(['best-f1', 'false-alarm-rate']),
  falseAlarmRate: z.number().nullable(),
  pictures: z.strictObject({ normal: whole, anomalous: whole }),
  image: threshold,
  map: threshold.nullable(),
});
export type AboutCalibration = z.infer<typeof calibrationSchema>;

/** In the folder of a bank. */
export const k_bankFile = 'bank.safetensors';

export interface DataFolder {
  banks: KeptFolder<AboutBank>;
  calibrations: KeptFolder<AboutCalibration>;
  /** of a bank */
  maxPictures: number;
  close(): Promise<void>;
}

/**
 * Takes the folder for this service alone, so that its limits hold exactly.
 * @returns undefined where the operator names none. @throws CraneError E_IN_USE, E_IO_WRITE
 */
export async function openDataFolder(settings: ServiceSettings, log: Log): Promise<DataFolder | undefined> {
  if (settings.dataFolder === undefined) return undefined;
  const folder = resolve(settings.dataFolder);
  const lock = await takeFolder(folder);
  try {
    const banks = await KeptFolder.open({
      folder: join(folder, 'normals'),
      what: 'bank',
      about: bankSchema,
      limits: { count: settings.maxBanks, bytes: settings.maxBankBytes },
      onDamaged: (name, why) => log.error({ bank: name, why }, 'a bank is damaged: it is not served'),
    });
    const calibrations = await KeptFolder.open({
      folder: join(folder, 'calibrations'),
      what: 'calibration',
      about: calibrationSchema,
      limits: { count: settings.maxCalibrations, bytes: Number.POSITIVE_INFINITY },
      onDamaged: (name, why) =>
        log.error({ calibration: name, why }, 'a calibration is damaged: it is not served'),
    });
    return { banks, calibrations, maxPictures: settings.maxBankPictures, close: () => lock.release() };
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

async function takeFolder(folder: string): Promise<HeldLock> {
  try {
    return await claim(folder, join(folder, '.lock'));
  } catch (thrown) {
    if (thrown instanceof CraneError && thrown.code === 'E_IN_USE') {
      throw new CraneError('E_IN_USE', thrown.message, {
        hint: `another service keeps its banks there: end it, or choose another --data-folder; if there is none, remove ${join(folder, '.lock')}`,
        cause: thrown,
      });
    }
    throw codedWriteError(folder, thrown, '--data-folder');
  }
}

/** @throws CraneError E_HTTP_RIGHT where the operator names no folder */
export function dataFolderOf(folder: DataFolder | undefined): DataFolder {
  if (folder) return folder;
  throw new CraneError('E_HTTP_RIGHT', 'this service keeps nothing of its clients', {
    hint: 'its operator names a folder: crane-native serve --data-folder FOLDER',
  });
}
