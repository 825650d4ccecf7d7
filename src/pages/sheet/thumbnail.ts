/** A labelled picture as a small file, and what its masks mark as another one to lay over it. Works without the addon. */
import type { DataItem } from '../../data/data-set.js';
import { maskOfPicture, toGrey } from '../../data/label-mask.js';
import { type CraneError, toCraneError } from '../../errors.js';
import { type DecodedPicture, decodePicture } from '../../images/decode.js';
import { inSlices, rowsOfSlice } from '../../images/in-slices.js';
import { toPictureSource } from '../../images/picture-input.js';
import type { Reading } from '../../images/reading.js';
import { channelsOf } from '../../images/samples.js';
import { sharp } from '../../images/sharp.js';

export const k_thumbnailSide = 200;
const k_quality = 72;
/** Pixels of the thumbnail around what is marked. */
const k_ring = 2;
const k_colour = [0, 230, 255] as const;
const k_ringAlpha = 255;
const k_fillAlpha = 70;
/** Under transparent pixels. */
const k_grey = { r: 128, g: 128, b: 128 };

export interface Thumbnail {
  width: number;
  height: number;
  /** JPEG */
  picture: Uint8Array;
  /** PNG, transparent but for what is marked and a ring around it; null: no masks, or they cannot be laid over it */
  marks: Uint8Array | null;
  /** of the whole picture, 0 to 1; null as above */
  marked: number | null;
}

export interface ThumbnailOptions {
  maxPixels: number;
  reading: Reading;
  reserve(bytes: number): Promise<void>;
}

/** @returns an error where the picture cannot be read: the sheet says it in its place. @throws what is no fault of a file */
export async function thumbnailOf(
  item: DataItem,
  options: ThumbnailOptions,
): Promise<Thumbnail | CraneError> {
  try {
    const decoded = await decodePicture(toPictureSource(item.image), options);
    const shrink = Math.min(1, k_thumbnailSide / Math.max(decoded.width, decoded.height));
    const width = Math.max(1, Math.round(decoded.width * shrink));
    const height = Math.max(1, Math.round(decoded.height * shrink));
    const marks = await marksOf(item, decoded, { width, height }, options);
    return { width, height, picture: await jpegOf(decoded, width, height), ...marks };
  } catch (thrown) {
    return faultOfFile(thrown);
  }
}

function faultOfFile(thrown: unknown): CraneError {
  const error = toCraneError(thrown);
  if (!/^E_(IMAGE|INPUT|DATA|IO_READ)/.test(error.code)) throw error;
  return error;
}

function jpegOf(
  { data, width, height, mode }: DecodedPicture,
  toWidth: number,
  toHeight: number,
): Promise<Buffer> {
  const raw = { width, height, channels: channelsOf[mode] as 1 | 2 | 3 | 4 };
  return sharp(data, { raw })
    .flatten({ background: k_grey })
    .resize(toWidth, toHeight, { fit: 'fill' })
    .jpeg({ quality: k_quality })
    .toBuffer();
}

interface Size {
  width: number;
  height: number;
}

async function marksOf(
  item: DataItem,
  picture: Size,
  size: Size,
  { maxPixels, reading: { exif, maskGrey }, reserve }: ThumbnailOptions,
): Promise<Pick<Thumbnail, 'marks' | 'marked'>> {
  if (item.masks.length === 0) return { marks: null, marked: null };
  try {
    const of = { path: item.image, width: picture.width, height: picture.height };
    const mask = await toGrey(await maskOfPicture(item, of, { maxPixels, exif, maskGrey, reserve }));
    const { cells, count } = await shrunk(mask.data, picture, size);
    return {
      marks: count === 0 ? null : await pngOf(cells, size),
      marked: count / mask.data.length,
    };
  } catch (thrown) {
    // The finding beside the picture says what is wrong with the mask.
    faultOfFile(thrown);
    return { marks: null, marked: null };
  }
}

/** 1 where any pixel of a cell is marked: a scratch of one pixel stays to be seen. count: of marked pixels */
async function shrunk(data: Uint8Array, from: Size, to: Size): Promise<{ cells: Uint8Array; count: number }> {
  const cells = new Uint8Array(to.width * to.height);
  const columns = Uint32Array.from({ length: from.width }, (_, x) => Math.floor((x * to.width) / from.width));
  let count = 0;
  await inSlices(
    from.height,
    (first, end) => {
      for (let y = first; y < end; y++) {
        const row = Math.floor((y * to.height) / from.height) * to.width;
        for (let x = 0, at = y * from.width; x < from.width; x++, at++) {
          if (data[at] === 0) continue;
          count++;
          cells[row + columns[x]!] = 1;
        }
      }
    },
    rowsOfSlice(from.width),
  );
  return { cells, count };
}

function pngOf(cells: Uint8Array, { width, height }: Size): Promise<Buffer> {
  const data = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const alpha = cells[at] ? k_fillAlpha : isNear(cells, x, y, { width, height }) ? k_ringAlpha : 0;
      if (alpha > 0) data.set([...k_colour, alpha], 4 * at);
    }
  return sharp(data, { raw: { width, height, channels: 4 } })
    .png({ palette: true })
    .toBuffer();
}

function isNear(cells: Uint8Array, x: number, y: number, { width, height }: Size): boolean {
  for (let row = Math.max(0, y - k_ring); row <= Math.min(height - 1, y + k_ring); row++)
    for (let column = Math.max(0, x - k_ring); column <= Math.min(width - 1, x + k_ring); column++)
      if (cells[row * width + column]) return true;
  return false;
}
