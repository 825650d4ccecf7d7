/** From a picture as given to its samples: which reader takes which format. */
import { CraneError } from '../errors.js';
import { type OpenFile, openPictureFile } from '../files/open-file.js';
import type { Size } from '../options/types.js';
import { decodeBmp, readBmpHeader } from './bmp.js';
import { headBytes, type PictureFormat, pictureKind, readTitles, unmarkedKind } from './format.js';
import { measureHeic, readHeic } from './heic-reader.js';
import { measureJp2, readJp2 } from './jp2-reader.js';
import type { PictureFile, PictureSource } from './picture-input.js';
import { decodePnm, pnmBytes, pnmHeadBytes, readPnmHeader } from './pnm.js';
import { readFrame } from './raw-frame.js';
import { checkSize, type ReadLimits } from './read-limits.js';
import { channelsOf, eightBits, type Samples } from './samples.js';
import { measureThroughSharp, readThroughSharp, readTiffThroughSharp } from './sharp-reader.js';
import { readDirectories } from './tiff/directory.js';
import { tiffForm, uprightSize } from './tiff/form.js';
import { ownBytes, readOwnTiff } from './tiff/read.js';

/** Header, masks and the largest palette; a palette cut off by this is no fault of the file. */
const k_bmpHeadBytes = 14 + 124 + 16 + 1024;

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_MEMORY */
export async function readSamples(source: PictureSource, limits: ReadLimits): Promise<Samples> {
  if (source.kind === 'blob') {
    const bytes = new Uint8Array(await source.blob.arrayBuffer());
    return readSamples({ kind: 'bytes', bytes, name: source.name }, limits);
  }
  if (source.kind !== 'pixels')
    return withFile(source, (format, head, file) => read(source, format, head, file, limits));
  return readFrame(source.name, source.frame, limits);
}

/**
 * The size of a picture without decoding it, after its orientation where that is applied.
 * @throws CraneError E_INPUT_*, E_IMAGE_*
 */
export async function measurePicture(path: string, exif: boolean): Promise<Size> {
  const source: PictureFile = { kind: 'file', path, name: path };
  return withFile(source, async (format, _head, file) => {
    if (format === 'bmp')
      return named(source.name, async () => sizeOf(readBmpHeader(await file.read(0, k_bmpHeadBytes))));
    if (format === 'pnm')
      return named(source.name, async () => sizeOf(readPnmHeader(await file.read(0, pnmHeadBytes))));
    if (format === 'tiff')
      return named(source.name, async () =>
        uprightSize(tiffForm((await readDirectories(file.read)).directories)),
      );
    if (format === 'heic') return measureHeic(source.name, file);
    if (format === 'jp2') return named(source.name, () => measureJp2(file));
    return measureThroughSharp({ ...source, format, file }, exif);
  });
}

async function read(
  source: PictureFile,
  format: PictureFormat,
  head: Uint8Array,
  file: OpenFile,
  limits: ReadLimits,
): Promise<Samples> {
  const { name } = source;
  if (format === 'bmp') return named(name, () => readBmp(name, file, limits));
  if (format === 'pnm') return named(name, () => readPnm(name, file, limits));
  if (format === 'tiff') return named(name, () => readTiff(source, file, limits));
  if (format === 'heic') return readHeic(name, file, limits);
  if (format === 'jp2') return named(name, () => readJp2(name, file, limits));
  return readThroughSharp({ ...source, format, file }, head, limits);
}

async function readBmp(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const { width, height, mode } = readBmpHeader(await file.read(0, k_bmpHeadBytes));
  checkSize(name, width, height, limits.maxPixels);
  await limits.reserve?.(width * height * channelsOf[mode] + file.bytes);
  const { data, ...picture } = await decodeBmp(await file.read(0, file.bytes));
  return { ...picture, data: data as Uint8Array, mode: picture.mode as Samples['mode'], stated: eightBits };
}

async function readPnm(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const header = readPnmHeader(await file.read(0, pnmHeadBytes));
  checkSize(name, header.width, header.height, limits.maxPixels);
  await limits.reserve?.(pnmBytes(header) + file.bytes);
  return decodePnm(await file.read(0, file.bytes));
}

async function readTiff(source: PictureFile, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const { littleEndian, directories } = await readDirectories(file.read);
  const form = tiffForm(directories);
  checkSize(source.name, form.width, form.height, limits.maxPixels);
  if (form.reader === 'library') {
    const samples = await readTiffThroughSharp({ ...source, format: 'tiff', file }, form, limits);
    return form.isBooleanArray ? { ...samples, isBooleanArray: true } : samples;
  }
  await limits.reserve?.(ownBytes(form));
  const samples = await readOwnTiff(file.read, form, littleEndian);
  return form.mosaic ? { ...samples, mosaic: form.mosaic } : samples;
}

async function withFile<T>(
  source: PictureFile,
  work: (format: PictureFormat, head: Uint8Array, file: OpenFile) => Promise<T>,
): Promise<T> {
  const { name } = source;
  const file = source.kind === 'file' ? await openPictureFile(source.path) : openBytes(source.bytes);
  try {
    if (file.bytes === 0) throw new CraneError('E_IMAGE_EMPTY', `${name}: the file has zero bytes`);
    const head = await file.read(0, headBytes);
    return await work(readFormatOf(name, head), head, file);
  } finally {
    await file.close();
  }
}

/** @throws CraneError E_IMAGE_FORMAT for a format that is recognised but not read, E_IMAGE_DECODE for anything else */
function readFormatOf(name: string, head: Uint8Array): PictureFormat {
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

/** Readers that know only bytes leave the name of the file to us. */
async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof CraneError) || thrown.message.startsWith(name)) throw thrown;
    throw new CraneError(thrown.code, `${name}: ${thrown.message}`, { hint: thrown.hint, cause: thrown });
  }
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}

function openBytes(bytes: Uint8Array): OpenFile {
  return {
    bytes: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
    close: async () => {},
  };
}
