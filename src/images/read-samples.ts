/** From a picture as given to its samples: which reader takes which format. */
import type { OpenFile } from '../files/open-file.js';
import type { Size } from '../options/types.js';
import { bmpHeadBytes, readBmpHeader } from './bmp.js';
import type { PictureFormat } from './format.js';
import { measureJp2 } from './jp2-reader.js';
import type { PictureFile, PictureSource } from './picture-input.js';
import { bytesOfStream } from './picture-stream.js';
import { pnmHeadBytes, readPnmHeader } from './pnm.js';
import { readFrame } from './raw-frame.js';
import { measureElsewhere, readElsewhere } from './read-elsewhere.js';
import { checkPixels, checkSize, type ReadLimits } from './read-limits.js';
import type { Samples } from './samples.js';
import { measureThroughSharp, readThroughSharp, readTiffThroughSharp } from './sharp-reader.js';
import { readDirectories } from './tiff/directory.js';
import { tiffForm, uprightSize } from './tiff/form.js';
import { named, withFile } from './with-file.js';

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_MEMORY */
export async function readSamples(source: PictureSource, limits: ReadLimits): Promise<Samples> {
  if (source.kind === 'blob') {
    const bytes = new Uint8Array(await source.blob.arrayBuffer());
    return readSamples({ kind: 'bytes', bytes, name: source.name }, limits);
  }
  if (source.kind === 'stream') {
    const bytes = await bytesOfStream(source.name, source.stream, limits);
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
      return named(source.name, async () => sizeOf(readBmpHeader(await file.read(0, bmpHeadBytes))));
    if (format === 'pnm')
      return named(source.name, async () => sizeOf(readPnmHeader(await file.read(0, pnmHeadBytes))));
    if (format === 'tiff')
      return named(source.name, async () =>
        uprightSize(tiffForm((await readDirectories(file.read)).directories)),
      );
    if (format === 'heic') return measureElsewhere(source);
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
  if (format === 'bmp' || format === 'pnm' || format === 'heic' || format === 'jp2')
    return readElsewhere(source, limits);
  if (format === 'tiff') return named(name, () => readTiff(source, file, limits));
  return readThroughSharp({ ...source, format, file }, head, limits);
}

async function readTiff(source: PictureFile, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const form = tiffForm((await readDirectories(file.read)).directories);
  checkSize(source.name, form.width, form.height, limits);
  checkPixels(source.name, form.chunks, limits.maxPixels, 'stored in tiles of ');
  if (form.reader === 'own') return readElsewhere(source, limits);
  const samples = await readTiffThroughSharp({ ...source, format: 'tiff', file }, form, limits);
  return form.isBooleanArray ? { ...samples, isBooleanArray: true } : samples;
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}
