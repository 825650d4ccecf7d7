/**
 * Reads what the decoder library does not: BMP, PNM, HEIC, JPEG 2000 and TIFFs of unusual forms, in JavaScript and WebAssembly. It
 * computes on the thread that calls it, which is one of the pool (read-elsewhere.ts).
 */
import { CraneError } from '../errors.js';
import type { OpenFile } from '../files/open-file.js';
import type { Size } from '../options/types.js';
import type { Help } from '../threads/messages.js';
import { bmpHeadBytes, decodeBmp, readBmpHeader } from './bmp.js';
import type { PictureFormat } from './format.js';
import { measureHeic, readHeic } from './heic-reader.js';
import { readJp2 } from './jp2-reader.js';
import type { PictureFile } from './picture-input.js';
import { decodePnm, pnmBytes, pnmHeadBytes, readPnmHeader } from './pnm.js';
import { checkPixels, checkSize, type ReadLimits } from './read-limits.js';
import { channelsOf, eightBits, type Samples } from './samples.js';
import { readDirectories } from './tiff/directory.js';
import { tiffForm } from './tiff/form.js';
import { ownBytes, readOwnTiff } from './tiff/read.js';
import { named, withFile } from './with-file.js';

export interface ReadWork {
  name: string;
  /** the file, or its bytes */
  path?: string;
  bytes?: Uint8Array;
  maxPixels: number;
  minSide?: number;
}

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_MEMORY, E_DEPENDENCY */
export async function readOwnFormat(given: ReadWork, { reserve }: Help): Promise<Samples> {
  const { name, maxPixels, minSide } = given;
  const limits: ReadLimits = {
    maxPixels,
    exif: true,
    ...(minSide === undefined ? {} : { minSide }),
    ...(reserve ? { reserve } : {}),
  };
  return withFile(fileOf(given), (format, _head, file) =>
    named(name, () => readerOf(name, format)(name, file, limits)),
  );
}

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_DEPENDENCY */
export async function measureOwnFormat(given: ReadWork): Promise<Size> {
  return withFile(fileOf(given), (_format, _head, file) => measureHeic(given.name, file));
}

function fileOf({ name, path, bytes }: ReadWork): PictureFile {
  return path === undefined
    ? { kind: 'bytes', bytes: bytes ?? new Uint8Array(), name }
    : { kind: 'file', path, name };
}

function readerOf(
  name: string,
  format: PictureFormat,
): (name: string, file: OpenFile, limits: ReadLimits) => Promise<Samples> {
  if (format === 'bmp') return readBmp;
  if (format === 'pnm') return readPnm;
  if (format === 'tiff') return readTiff;
  if (format === 'heic') return readHeic;
  if (format === 'jp2') return readJp2;
  throw new CraneError('E_IMAGE_DECODE', `${name}: became another file while it was read`);
}

async function readBmp(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const { width, height, mode } = readBmpHeader(await file.read(0, bmpHeadBytes));
  checkSize(name, width, height, limits);
  await limits.reserve?.(width * height * channelsOf[mode] + file.bytes);
  const { data, ...picture } = await decodeBmp(await file.read(0, file.bytes));
  return { ...picture, data: data as Uint8Array, mode: picture.mode as Samples['mode'], stated: eightBits };
}

async function readPnm(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const header = readPnmHeader(await file.read(0, pnmHeadBytes));
  checkSize(name, header.width, header.height, limits);
  await limits.reserve?.(pnmBytes(header) + file.bytes);
  return decodePnm(await file.read(0, file.bytes));
}

async function readTiff(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const { littleEndian, directories } = await readDirectories(file.read);
  const form = tiffForm(directories);
  checkSize(name, form.width, form.height, limits);
  checkPixels(name, form.chunks, limits.maxPixels, 'stored in tiles of ');
  // Of bytes that were given a copy is held.
  await limits.reserve?.(ownBytes(form) + file.bytes);
  const samples = await readOwnTiff(file.read, form, littleEndian);
  return form.mosaic ? { ...samples, mosaic: form.mosaic } : samples;
}
