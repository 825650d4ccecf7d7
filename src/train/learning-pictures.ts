/** Pictures and mosaics as the loop takes them, named by content, and their masks, named by what decides their counts. */
import { createHash } from 'node:crypto';
import type { NativeAddon, NativePicture } from '../addon/native.js';
import type { FeatureShape } from '../addon/training.js';
import { maskOfPicture, toGrey } from '../data/label-mask.js';
import { identityOfValues } from '../data/mask-values.js';
import { mosaicOfMasks, mosaicOfPictures } from '../data/mosaic.js';
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
  /** names the counts of its mask in the cache: equal names, equal counts; undefined: its pixels are not known */
  mask: string | undefined;
  /** Reads the mask: anomalous pixels of each patch. Only where `mask` is given. */
  countCells(): Promise<Uint32Array>;
  /** Reads the mask as the model's input is large: 0 and 1. Only where `mask` is given. */
  readPixels(): Promise<Uint8Array>;
  /** what decides its part in learning, as text: content, label, mask */
  identity: string;
  /** a mask was drawn for it, which ought not to be empty */
  hasOwnMask: boolean;
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
  /** called where a mask is opened and something has to be known about how it was read */
  onMaskNote?: (picture: string, note: PictureNote) => void;
}

/** Of pictures that are known to be normal in every pixel. */
const k_normal = 'normal';
/** Changes with whatever changes which pixels of a mask are anomalous. */
const k_countRule = 'crane-cells 2';

/** Opens no mask. @throws CraneError E_INPUT_*; countCells: E_IMAGE_*, E_DATA_MASK_SIZE */
export async function identifyPicture(item: ChosenItem, work: ReadingWork): Promise<LearningPicture> {
  const content = await pictureIdentity(item.image);
  const hasOwnMask = item.isAnomalous && item.masks.length > 0;
  const ofMasks = hasOwnMask ? (await Promise.all(item.masks.map(contentHash))).join('+') : undefined;
  // How a mask is read decides its cells as much as its bytes do.
  const how = `${identityOfValues(item.maskValues)}${work.reading.maskGrey ? ' as grey' : ''}`;
  const read = ofMasks === undefined ? undefined : ofMasks + how;
  const maskHash = read ?? (hasPixels(item) ? 'normal' : 'unknown');
  return {
    name: `${item.set}/${item.imagePath}`,
    content,
    className: item.className,
    isAnomalous: item.isAnomalous,
    mask: hasOwnMask ? nameOfMask(maskHash) : hasPixels(item) ? k_normal : undefined,
    countCells: async () => (hasOwnMask ? countCells(await readMask(item, work), work) : zeroCells(work)),
    readPixels: async () =>
      hasOwnMask ? pixelsOf(await readMask(item, work), work) : normalPixels(work.input),
    identity: `${content} ${item.isAnomalous} ${maskHash}`,
    hasOwnMask,
    decode: (reserve) => decodeItem(item, work, reserve),
  };
}

/** A mosaic of some of `items`; its pixels are known where those of all its tiles are. */
export async function identifyMosaic(
  plan: MosaicPlan,
  items: readonly ChosenItem[],
  work: ReadingWork,
): Promise<LearningPicture> {
  const tiles = plan.tiles.map((index) => items[index]!);
  const content = await mosaicKey(plan, items);
  const isKnown = tiles.every(hasPixels);
  const reading = content + valuesOfTiles(tiles) + (work.reading.maskGrey ? ' as grey' : '');
  return {
    name: `mosaic of ${tiles.map(({ imagePath }) => imagePath).join(', ')}`,
    content,
    className: tiles[0]!.className,
    isAnomalous: plan.isAnomalous,
    mask: !isKnown ? undefined : plan.isAnomalous ? nameOfMask(reading) : k_normal,
    countCells: async () =>
      plan.isAnomalous ? countCells(await mosaicMask(tiles, work), work) : zeroCells(work),
    readPixels: async () =>
      plan.isAnomalous ? pixelsOf(await mosaicMask(tiles, work), work) : normalPixels(work.input),
    identity: `${content} ${plan.isAnomalous} ${isKnown ? 'known' : 'unknown'}`,
    hasOwnMask: false,
    decode: async (reserve) => {
      const pictures = await Promise.all(tiles.map((item) => decodeItem(item, work, reserve)));
      const notes = pictures.flatMap((tile) => tile.notes);
      return { ...(await mosaicOfPictures(pictures, work.addon)), notes };
    },
  };
}

/** A class may come from several data sets, each with values of its own. */
function valuesOfTiles(tiles: readonly ChosenItem[]): string {
  const each = tiles.map(({ maskValues }) => identityOfValues(maskValues));
  // Where they are equal the name is that of one, so that what caches hold keeps its name.
  return new Set(each).size === 1 ? each[0]! : each.join(' |');
}

/** One hash for all pictures, in their order. */
export function hashOfPictures(pictures: readonly LearningPicture[]): string {
  const hash = createHash('sha256');
  for (const { identity } of pictures) hash.update(`${identity}\n`);
  return hash.digest('hex');
}

/** @param read the hash of what is read, and how it is read */
function nameOfMask(read: string): string {
  return createHash('sha256').update(`${k_countRule}\n${read}\n`).digest('hex').slice(0, 32);
}

async function decodeItem(
  { image }: ChosenItem,
  { maxPixels, reading }: ReadingWork,
  reserve: (bytes: number) => Promise<void>,
): Promise<DecodedPicture> {
  return decodePicture(toPictureSource(image), { maxPixels, reading, reserve });
}

async function readMask(item: ChosenItem, work: ReadingWork): Promise<NativePicture> {
  const { set, image, imagePath } = item;
  const { maxPixels, addon: pixels } = work;
  const onNote = (note: PictureNote) => work.onMaskNote?.(`${set}/${imagePath}`, note);
  const { exif, maskGrey } = work.reading;
  const size = await measurePicture(image, exif);
  try {
    return await maskOfPicture(item, { path: image, ...size }, { maxPixels, exif, maskGrey, onNote, pixels });
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

async function mosaicMask(tiles: readonly ChosenItem[], work: ReadingWork): Promise<NativePicture> {
  const masks = await Promise.all(tiles.map(async (item) => toGrey(await readMask(item, work), work.addon)));
  return mosaicOfMasks(masks, work.addon);
}

function countCells(mask: NativePicture, { addon, input, grid }: ReadingWork): Promise<Uint32Array> {
  return addon.countCells(mask, input.width, input.height, grid);
}

/** Cells of one pixel each: every count is 0 or 1. */
async function pixelsOf(mask: NativePicture, work: ReadingWork): Promise<Uint8Array> {
  return Uint8Array.from(await countCells(mask, { ...work, grid: work.input }));
}

function normalPixels({ width, height }: Size): Uint8Array {
  return new Uint8Array(width * height);
}

/** One for all normal pictures: where cells are pixels each would take a megabyte. */
const zeros = new WeakMap<ReadingWork, Uint32Array>();

function zeroCells(work: ReadingWork): Uint32Array {
  const cells = zeros.get(work) ?? new Uint32Array(work.grid.width * work.grid.height);
  zeros.set(work, cells);
  return cells;
}
