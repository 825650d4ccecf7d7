/**
 * What a k-shot test keeps while it runs: the patches of pictures, and the figures of draws that are finished. Each file is
 * whole or not there, and found again by what decides its content.
 */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CraneError } from '../errors.js';
import { contentHash } from '../files/content-hash.js';
import { removeLeft } from '../files/left-files.js';
import { readSealed, writeSealed } from '../files/sealed.js';
import { isThere } from '../files/write-whole.js';
import type { UnscoredPicture } from '../runs/test-run.js';
import type { LeftOutBackground } from './k-shot-run.js';
import type { PlacedItem } from './test-data.js';

/** Of one draw. */
export interface DrawFound {
  scored: { normal: number; anomalous: number };
  /** by column */
  figures: Record<string, number | null>;
  failed: UnscoredPicture[];
  /** of the tested pictures, where the bank leaves out the background */
  background?: Pick<LeftOutBackground, 'ofTested' | 'testedWhole'>;
}

export class KShotState {
  readonly #folder: string;
  readonly #hashes = new Map<string, Promise<string>>();

  /** @param out folder of the test */
  constructor(out: string) {
    this.#folder = join(out, 'k-shot-state');
  }

  get rows(): string {
    return join(this.#folder, 'rows');
  }

  /** @throws CraneError E_EXISTS when an earlier run was ended here and nobody said what to do with it */
  async begin({ resume, force }: { resume: boolean; force: boolean }): Promise<void> {
    await removeLeft(dirname(this.#folder));
    if (resume) return;
    if (!force && (await isThere(this.#folder))) {
      throw new CraneError('E_EXISTS', `${this.#folder}: a k-shot test was ended here before it was done`, {
        hint: 'go on with --resume, start anew with --force, or choose another --out',
      });
    }
    await this.end();
  }

  async end(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /**
   * As an earlier run found it, else by `score`.
   * @param of all that decides the figures: label (model, settings, bank), tested pictures with masks, columns
   */
  async draw(
    { label, items, columns }: { label: string; items: readonly PlacedItem[]; columns: readonly string[] },
    score: () => Promise<DrawFound>,
  ): Promise<DrawFound> {
    const tested: unknown[] = [];
    for (const { imagePath, image, masks, isAnomalous, className } of items) {
      const files = [image, ...(isAnomalous ? masks : [])];
      tested.push([
        imagePath,
        className,
        isAnomalous,
        await Promise.all(files.map((file) => this.#hashOf(file))),
      ]);
    }
    const content = JSON.stringify([label, columns, tested]);
    const name = createHash('sha256').update(content).digest('hex').slice(0, 32);
    const path = join(this.#folder, 'draws', `${name}.json`);
    const known = await readDraw(path);
    if (known) return known;
    const found = await score();
    await writeSealed(path, JSON.stringify(found));
    return found;
  }

  /** A file that cannot be read has its fault told where it is scored. */
  #hashOf(path: string): Promise<string> {
    const known = this.#hashes.get(path) ?? contentHash(path).catch(() => '');
    this.#hashes.set(path, known);
    return known;
  }
}

/** Undefined: there is none, or it is damaged and has to be scored again. */
async function readDraw(path: string): Promise<DrawFound | undefined> {
  try {
    const found = JSON.parse((await readSealed(path)) ?? '') as Partial<DrawFound> | null;
    const isWhole = found?.scored && found.figures && Array.isArray(found.failed);
    return isWhole ? (found as DrawFound) : undefined;
  } catch {
    return undefined;
  }
}
