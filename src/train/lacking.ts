/** What the cache lacks of the pictures of a run: whole files, or only counts of masks in files that are there. */
import type { FeatureCheck, MaskCells } from '../addon/training.js';
import type { FeatureCache } from './feature-cache.js';
import type { LearningPicture } from './learning-pictures.js';

export interface LackingFeatures {
  picture: LearningPicture;
  /** of every mask that the run has for this picture */
  masks: MaskCells[];
}

export interface LackingCells {
  content: string;
  /** none where the file only has to become one of today's version */
  masks: MaskCells[];
  isOfBefore: boolean;
}

interface Entry {
  picture: LearningPicture;
  file: FeatureCheck;
  /** of masks that the file has no counts of */
  counted: Map<string, Promise<Uint32Array>>;
}

export class Lacking {
  readonly #cache: FeatureCache;
  /** by content: equal pictures share one file */
  readonly #entries = new Map<string, Promise<Entry>>();

  constructor(cache: FeatureCache) {
    this.#cache = cache;
  }

  /** Different files of the cache that the pictures use. */
  get files(): number {
    return this.#entries.size;
  }

  /**
   * Checks the picture's file, once for equal pictures, and takes a damaged one away. A mask is opened only where the
   * file has no counts of it.
   * @returns anomalousPixels of its mask, undefined where it is not known
   * @throws CraneError E_IO_WRITE, E_IMAGE_*, E_DATA_MASK_SIZE
   */
  async look(
    picture: LearningPicture,
  ): Promise<{ wasDamaged: boolean; anomalousPixels: number | undefined }> {
    const { content, mask } = picture;
    const known = this.#entries.get(content);
    const checked = known ?? this.#check(picture);
    if (!known) this.#entries.set(content, checked);
    const { file, counted } = await checked;
    const wasDamaged = !known && file.state === 'damaged';
    if (mask === undefined) return { wasDamaged, anomalousPixels: undefined };
    const kept = file.masks[mask];
    if (kept !== undefined) return { wasDamaged, anomalousPixels: kept };
    const counts = counted.get(mask) ?? picture.countCells();
    counted.set(mask, counts);
    return { wasDamaged, anomalousPixels: (await counts).reduce((sum, count) => sum + count, 0) };
  }

  /** Of all pictures that were looked at. */
  async all(): Promise<{ features: LackingFeatures[]; cells: LackingCells[] }> {
    const features: LackingFeatures[] = [];
    const cells: LackingCells[] = [];
    for (const [content, entry] of this.#entries) {
      const { picture, file, counted } = await entry;
      const masks: MaskCells[] = [];
      for (const [name, anomalous] of counted) masks.push({ name, anomalous: await anomalous });
      const isOfBefore = file.state === 'of-before';
      if (file.state === 'damaged' || file.state === 'missing') features.push({ picture, masks });
      else if (masks.length > 0 || isOfBefore) cells.push({ content, masks, isOfBefore });
    }
    return { features, cells };
  }

  async #check(picture: LearningPicture): Promise<Entry> {
    const file = await this.#cache.check(picture.content);
    if (file.state === 'damaged') await this.#cache.drop(picture.content);
    return { picture, file, counted: new Map() };
  }
}
