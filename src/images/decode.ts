/**
 * THE way from a picture to the 8 bits that the model sees, for scoring, training, testing, calibration and checks: in
 * the mode with which Pillow would have opened it (method.md 2), and samples of more bits by the range that file or
 * caller state (docs/pictures.md). Masks have a door of their own, where what is above 0 stays above 0.
 */
import type { NativePicture } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { type OpenFile, openPictureFile } from '../files/open-file.js';
import { decodeBmp, readBmpHeader } from './bmp.js';
import { headBytes, type PictureFormat, pictureKind, readTitles, unmarkedKind } from './format.js';
import { type Levels, toLevels, toMaskLevels } from './levels.js';
import type { PictureSource } from './picture-input.js';
import { checkSize, type FileSource, type ReadLimits } from './read-limits.js';
import type { Reading } from './reading.js';
import { channelsOf, eightBits, type PictureNote, type Samples } from './samples.js';
import { readThroughSharp } from './sharp-reader.js';

export interface DecodeOptions extends Omit<ReadLimits, 'exif'> {
  reading: Reading;
}

export interface DecodedPicture extends NativePicture {
  /** of a picture of more than 8 bits: what became black and white */
  levels?: Levels;
  notes: readonly PictureNote[];
}

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_MEMORY */
export async function decodePicture(source: PictureSource, options: DecodeOptions): Promise<DecodedPicture> {
  const { reading, ...limits } = options;
  const samples = await readSamples(source, { ...limits, exif: reading.exif });
  const { data, width, height, mode, notes = [] } = samples;
  if (isEightBits(samples)) return { data: samples.data, width, height, mode, notes };
  if (reading.grey16 && mode === 'L' && data instanceof Uint16Array) {
    const levels: Levels = { low: 0, high: 255, bits: 8, from: 'option' };
    return { data, width, height, mode: 'I;16', levels, notes };
  }
  const levelled = await toLevels(source.name, samples, reading);
  return { ...levelled, width, height, mode, notes: [...notes, ...levelled.notes] };
}

/**
 * A picture of labels: values of more than 8 bits are cut at 255, none becomes 0 that was not.
 * @throws CraneError E_INPUT_*, E_IMAGE_*, E_MEMORY
 */
export async function decodeMask(
  source: PictureSource,
  limits: ReadLimits,
): Promise<NativePicture & { data: Uint8Array }> {
  const samples = await readSamples(source, limits);
  const { data, width, height, mode } = samples;
  return {
    data: isEightBits(samples) ? samples.data : await toMaskLevels(source.name, data),
    width,
    height,
    mode,
  };
}

function isEightBits(samples: Samples): samples is Samples & { data: Uint8Array } {
  return samples.data instanceof Uint8Array;
}

async function readSamples(source: PictureSource, limits: ReadLimits): Promise<Samples> {
  if (source.kind === 'pixels') {
    const { data, width, height, mode } = source.picture;
    checkSize(source.name, width, height, limits.maxPixels);
    await limits.reserve?.(data.byteLength);
    return data instanceof Uint16Array
      ? { data, width, height, mode: 'L', stated: { kind: 'bits', bits: 16, from: 'container' } }
      : { data, width, height, mode: mode as Samples['mode'], stated: eightBits };
  }
  const file = source.kind === 'file' ? await openPictureFile(source.path) : openBytes(source.bytes);
  try {
    return await readOpened(source, file, limits);
  } finally {
    await file.close();
  }
}

async function readOpened(source: FileSource, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const { name } = source;
  if (file.bytes === 0) throw new CraneError('E_IMAGE_EMPTY', `${name}: the file has zero bytes`);
  const head = await file.read(0, headBytes);
  const format = readFormatOf(name, head);
  return format === 'bmp'
    ? readBmp(name, file, limits)
    : readThroughSharp(source, format, head, file, limits);
}

/** @throws CraneError E_IMAGE_FORMAT for a format that is recognised but not read, E_IMAGE_DECODE for anything else */
export function readFormatOf(name: string, head: Uint8Array): PictureFormat {
  const found = pictureKind(head);
  if (found.kind === 'read') return found.format;
  const meant = found.kind === 'known' ? found : unmarkedKind(name);
  if (meant.kind === 'known') {
    throw new CraneError('E_IMAGE_FORMAT', `${name}: a file of format ${meant.title}, which is not read`, {
      hint: meant.hint,
    });
  }
  throw new CraneError('E_IMAGE_DECODE', `${name}: not a picture of a kind that is read`, {
    hint: `read are ${readTitles.join(', ')}`,
  });
}

async function readBmp(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  try {
    // Header, masks and the largest palette; a palette cut off by this is no fault of the file.
    const { width, height, mode } = readBmpHeader(await file.read(0, 14 + 124 + 16 + 1024));
    checkSize(name, width, height, limits.maxPixels);
    await limits.reserve?.(width * height * channelsOf[mode] + file.bytes);
    const { data, ...picture } = await decodeBmp(await file.read(0, file.bytes));
    return { ...picture, data: data as Uint8Array, mode: picture.mode as Samples['mode'], stated: eightBits };
  } catch (thrown) {
    if (!(thrown instanceof CraneError) || thrown.message.startsWith(name)) throw thrown;
    throw new CraneError(thrown.code, `${name}: ${thrown.message}`, { hint: thrown.hint, cause: thrown });
  }
}

function openBytes(bytes: Uint8Array): OpenFile {
  return {
    bytes: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
    close: async () => {},
  };
}
