/** Pictures and mosaics as the loop takes them: named by content, with the anomalous pixels of each patch. */
import { createHash } from 'node:crypto';
import type { NativeAddon, NativePicture } from '../addon/native.js';
import type { FeatureShape } from '../addon/training.js';
import { maskOfPicture, toGrey } from '../data/label-mask.js';
import { composeMosaic } from '../data/mosaic.js';
import { type MosaicPlan, mosaicKey } from '../data/mosaic-plan.js';
import { CraneError } from '../errors.js';
import { contentHash } from '../files/content-hash.js';
import { type DecodedPicture, decodePicture } from '../images/decode.js';
import { pictureIdentity } from '../images/picture-identity.js';
import { toPictureSource } from '../images/picture-input.js';
import { measurePicture } from '../images/read-samples.js';
import type { Reading } from '../images/reading.js';
import type { PictureNote } from '../images/samples.js';
import type { Size } from '../options/types.js';
import { type ChosenItem, hasPixels } from './choose-pictures.js';

export interface LearningPicture {
  /** for people */
  name: string;
  /** names the features in the cache: equal content, equal features */
  content: string;
  /** what it shows */
  className: string;
  isAnomalous: boolean;
  /** anomalous pixels of each patch; undefined: not known */
  cells: Uint32Array | undefined;
  /** what decides its part in learning, as text: content, label, mask */
  identity: string;
  hasEmptyMask: boolean;
  decode(
    reserve: (bytes: number) => Promise<void>,
  ): Promise<NativePicture & { notes?: readonly PictureNote[] }>;
}

export interface ReadingWork {
  addon: NativeAddon;
  input: Size;
  grid: FeatureShape['grid'];
  reading: Reading;
  maxPixels: number;
}

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_DATA_MASK_SIZE */
export async function readPicture(item: ChosenItem, work: ReadingWork): Promise<LearningPicture> {
  const content = await pictureIdentity(item.image);
  const mask = item.isAnomalous && item.masks.length > 0 ? await readMask(item, work) : undefined;
  const cells = mask ? await countCells(mask, work) : hasPixels(item) ? zeroCells(work) : undefined;
  const ofMasks = mask ? (await Promise.all(item.masks.map(contentHash))).join('+') : undefined;
  // How a mask is read decides its cells as much as its bytes do.
  const read = ofMasks !== undefined && work.reading.maskGrey ? `${ofMasks} as grey` : ofMasks;
  const maskHash = read ?? (hasPixels(item) ? 'normal' : 'unknown');
  return {
    name: `${item.set}/${item.imagePath}`,
    content,
    className: item.className,
    isAnomalous: item.isAnomalous,
    cells,
    identity: `${content} ${item.isAnomalous} ${maskHash}`,
    hasEmptyMask: mask !== undefined && cells!.every((count) => count === 0),
    decode: (reserve) => decodeItem(item, work, reserve),
  };
}

/** A mosaic of some of `items`; its pixels are known where those of all its tiles are. */
export async function readMosaic(
  plan: MosaicPlan,
  items: readonly ChosenItem[],
  work: ReadingWork,
): Promise<LearningPicture> {
  const tiles = plan.tiles.map((index) => items[index]!);
  const content = await mosaicKey(plan, items);
  const isKnown = tiles.every(hasPixels);
  const cells = !isKnown
    ? undefined
    : plan.isAnomalous
      ? await countCells(await mosaicMask(plan, tiles, work), work)
      : zeroCells(work);
  return {
    name: `mosaic of ${tiles.map(({ imagePath }) => imagePath).join(', ')}`,
    content,
    className: tiles[0]!.className,
    isAnomalous: plan.isAnomalous,
    cells,
    identity: `${content} ${plan.isAnomalous} ${isKnown ? 'known' : 'unknown'}`,
    hasEmptyMask: false,
    decode: async (reserve) => {
      const pictures = await Promise.all(tiles.map((item) => decodeItem(item, work, reserve)));
      const notes = pictures.flatMap((tile) => tile.notes);
      const { picture } = await composeMosaic(
        { isAnomalous: false },
        pictures,
        [null, null, null, null],
        (tile, width, height) => work.addon.resizePicture(tile, width, height),
      );
      return { ...picture, notes };
    },
  };
}

/** One hash for all pictures, in their order. */
export function hashOfPictures(pictures: readonly LearningPicture[]): string {
  const hash = createHash('sha256');
  for (const { identity } of pictures) hash.update(`${identity}\n`);
  return hash.digest('hex');
}

async function decodeItem(
  { image }: ChosenItem,
  { maxPixels, reading }: ReadingWork,
  reserve: (bytes: number) => Promise<void>,
): Promise<DecodedPicture> {
  return decodePicture(toPictureSource(image), { maxPixels, reading, reserve });
}

async function readMask({ image, masks }: ChosenItem, work: ReadingWork): Promise<NativePicture> {
  const { maxPixels } = work;
  const { exif, maskGrey } = work.reading;
  const size = await measurePicture(image, exif);
  try {
    return await maskOfPicture(masks, { path: image, ...size }, { maxPixels, exif, maskGrey });
  } catch (thrown) {
    if (
      !(thrown instanceof CraneError) ||
      thrown.code !== 'E_DATA_MASK_SIZE' ||
      thrown.message.includes(image)
    )
      throw thrown;
    throw new CraneError(thrown.code, `${thrown.message} (${image})`, { hint: thrown.hint, cause: thrown });
  }
}

/** Only the masks are composed: their places follow from the size of the first tile. */
async function mosaicMask(
  plan: MosaicPlan,
  tiles: readonly ChosenItem[],
  work: ReadingWork,
): Promise<NativePicture> {
  const masks = await Promise.all(tiles.map(async (item) => toGrey(await readMask(item, work))));
  const { width, height } = masks[0]!;
  const blank: NativePicture = { data: new Uint8Array(), width, height, mode: 'RGB' };
  const { mask } = await composeMosaic(
    plan,
    [blank, blank, blank, blank],
    masks,
    async (_picture, tileWidth, tileHeight) => new Uint8Array(tileWidth * tileHeight * 3),
  );
  return mask!;
}

function countCells(mask: NativePicture, { addon, input, grid }: ReadingWork): Promise<Uint32Array> {
  return addon.countCells(mask, input.width, input.height, grid);
}

function zeroCells({ grid }: ReadingWork): Uint32Array {
  return new Uint32Array(grid.width * grid.height);
}
