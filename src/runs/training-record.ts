/** run.json: what a run was made from and what came out, for people and programs. */
import { readFile } from 'node:fs/promises';
import type { StepLosses } from '../addon/training.js';
import type { SetSummary } from '../data/summary.js';
import type { ErrorCode } from '../errors.js';
import { writeWhole } from '../files/write-whole.js';
import type { TrainSettings } from './train-settings.js';
import type { Fingerprint } from './training-fingerprint.js';
import type { Versions } from './versions.js';

const k_sha256 = /^[0-9a-f]{64}$/;

export interface EpochRecord {
  epoch: number;
  steps: number;
  /** means over its steps */
  losses: StepLosses;
  checkpoint: string;
  /** of the checkpoint, by which it is known under another name; older records have none */
  sha256?: string;
}

export interface RunRecord {
  format: 1;
  status: 'running' | 'complete' | 'interrupted' | 'failed';
  error?: { code: ErrorCode; message: string };
  seed: number;
  options: TrainSettings & { data: string[] };
  /** all that decides the bytes of the result */
  made: Fingerprint;
  versions: Versions;
  data: { sets: SetSummary[]; learnedOn: string[]; pictures: number; mosaics: number };
  features: { key: string; folder: string; computed: number; found: number };
  epochs: EpochRecord[];
  /** of the last epoch so far */
  losses: StepLosses | null;
  /** after the last epoch */
  prompts: { file: string; sha256: string } | null;
  notes: string[];
  startedAt: string;
  /** of all processes that worked on it */
  seconds: number;
}

export function writeRecord(path: string, record: object, overwrite: boolean): Promise<void> {
  return writeWhole(path, `${JSON.stringify(record, null, 2)}\n`, { overwrite });
}

/** Of the run whose record this is; undefined: there is none. */
export async function readStatus(path: string): Promise<RunRecord['status'] | undefined> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as RunRecord).status;
  } catch {
    return undefined;
  }
}

/** seeds: of several runs, which have their own below; other: of no training, such as that of a test. One that cannot be read is of one run. */
export async function kindOfRecord(path: string): Promise<'one' | 'seeds' | 'other'> {
  try {
    const { kind, runs } = JSON.parse(await readFile(path, 'utf8')) as { kind?: unknown; runs?: unknown };
    if (kind !== undefined) return 'other';
    return Array.isArray(runs) ? 'seeds' : 'one';
  } catch {
    return 'one';
  }
}

/** What an earlier process of the same run wrote; only times are taken from it. */
export async function readTimes(path: string): Promise<Pick<RunRecord, 'startedAt' | 'seconds'> | undefined> {
  try {
    const { startedAt, seconds } = JSON.parse(await readFile(path, 'utf8')) as RunRecord;
    return typeof startedAt === 'string' && Number.isFinite(seconds) ? { startedAt, seconds } : undefined;
  } catch {
    return undefined;
  }
}

/** Of the checkpoints that an earlier process of the same run recorded, by their names; none where nothing can be read. */
export async function readChecksums(path: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { epochs } = JSON.parse(await readFile(path, 'utf8')) as { epochs: Partial<EpochRecord>[] };
    const known = epochs.filter(({ sha256 }) => typeof sha256 === 'string' && k_sha256.test(sha256));
    return new Map(known.map(({ checkpoint, sha256 }) => [String(checkpoint), sha256!]));
  } catch {
    return new Map();
  }
}
