/**
 * The features of pictures, one file each: <root>/<key of the settings>/<sha256 of the picture>.safetensors. Beside the
 * features lie the anomalous pixels per patch of each mask that the picture was learned with. Files are written by the engine, whole or not at all, so that several processes may share the folder; the one that comes
 * second replaces a file by an equal one. key.json beside them says in words what the key stands for.
 */

import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NativeAddon } from '../addon/native.js';
import type { FeatureCheck, FeatureShape, MaskCells } from '../addon/training.js';
import { CraneError } from '../errors.js';
import { makeFolder } from '../files/make-folder.js';
import { ofNativeWriter, writerOf } from '../files/temporary-name.js';
import { codedWriteError, isThere, writeWhole } from '../files/write-whole.js';
import { formatBytes } from '../terminal/bytes.js';
import { type FeatureSettings, featureKey } from './feature-key.js';

/** Nobody takes an hour to write one file. */
const k_staleMs = 3_600_000;
/** Header and checksum of a file, rounded up. */
const k_headerBytes = 1024;
/** Of a cell of a mask. */
const k_countBytes = 4;

export class FeatureCache {
  readonly key: string;
  readonly folder: string;
  readonly #addon: NativeAddon;

  constructor(
    addon: NativeAddon,
    root: string,
    readonly settings: FeatureSettings,
    readonly shape: FeatureShape,
  ) {
    this.#addon = addon;
    this.key = featureKey(settings);
    this.folder = join(root, this.key);
  }

  /** @param content sha256 of the picture file, or key of a mosaic */
  path(content: string): string {
    return join(this.folder, `${content}.safetensors`);
  }

  /** Bytes of one file, to a few hundred. */
  get fileBytes(): number {
    const { width, height } = this.shape.grid;
    return featureBytes(this.shape, this.settings.precision) + k_countBytes * width * height + k_headerBytes;
  }

  /** Reads the whole file. */
  check(content: string): Promise<FeatureCheck> {
    return this.#addon.checkFeatures(this.path(content), this.shape);
  }

  /** @throws CraneError E_IO_WRITE, E_TRAIN_FEATURES */
  addCells(content: string, masks: readonly MaskCells[]): Promise<void> {
    return this.#addon.addCells(this.path(content), this.shape, masks);
  }

  /** Takes a damaged file away. */
  async drop(content: string): Promise<void> {
    await rm(this.path(content), { force: true }).catch((thrown: unknown) => {
      throw cacheError(this.folder, thrown);
    });
  }

  /**
   * Makes the folder, says in it what it is for, and takes away what killed processes left.
   * @throws CraneError E_IO_WRITE
   */
  async prepare(): Promise<void> {
    try {
      await makeFolder(this.folder);
    } catch (thrown) {
      throw cacheError(this.folder, thrown);
    }
    const description = join(this.folder, 'key.json');
    if (!(await isThere(description))) {
      const text = `${JSON.stringify({ key: this.key, ...this.settings }, null, 2)}\n`;
      await writeWhole(description, text, { overwrite: true }).catch((thrown: unknown) => {
        throw cacheError(this.folder, thrown);
      });
    }
    await removeStale(this.folder);
  }

  /** @throws CraneError E_IO_WRITE when so many new files cannot fit */
  async checkRoom(files: number): Promise<void> {
    const free = await freeBytes(this.folder);
    const need = files * this.fileBytes;
    if (free === undefined || need <= free) return;
    throw new CraneError(
      'E_IO_WRITE',
      `${this.folder}: the features of ${files} pictures need ${formatBytes(need)}, ${formatBytes(free)} are free`,
      { hint: 'name a folder with more room: --cache FOLDER (or CRANE_CACHE)' },
    );
  }
}

/** Payload of one file. */
export function featureBytes({ tensors }: FeatureShape, precision: 'f16' | 'f32'): number {
  const numbers = tensors.map(({ shape }) => shape.reduce((product, side) => product * side, 1));
  return numbers.reduce((sum, count) => sum + count, 0) * (precision === 'f16' ? 2 : 4);
}

/** Of the file system on which the path is or will be. */
export async function freeBytes(path: string): Promise<number | undefined> {
  for (let folder = path; ; folder = dirname(folder)) {
    const facts = await statfs(folder).catch(() => undefined);
    if (facts) return facts.bavail * facts.bsize;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Temporary files of writers that were killed. Another process may clean at the same time. */
export async function removeStale(folder: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (writerOf(name) === undefined && ofNativeWriter(name) === undefined) continue;
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts?.isFile() || Date.now() - facts.mtimeMs < k_staleMs) continue;
    await rm(path, { force: true });
    removed++;
  }
  return removed;
}

function cacheError(folder: string, thrown: unknown): CraneError {
  const error = codedWriteError(folder, thrown, '--cache FOLDER (or CRANE_CACHE)');
  return new CraneError(error.code, error.message, {
    hint: error.hint ?? 'name a folder that may be written: --cache FOLDER (or CRANE_CACHE)',
    cause: thrown,
  });
}
