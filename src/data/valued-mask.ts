/** A label map read by the values that were named: what has one of them is marked, all else is not. */
import { CraneError } from '../errors.js';
import { openPictureFile } from '../files/open-file.js';
import { isLossyFile } from '../images/lossy.js';
import { ownCopy } from '../images/own-copy.js';
import { toPictureSource } from '../images/picture-input.js';
import { pngPalette } from '../images/png-palette.js';
import type { ReadLimits } from '../images/read-limits.js';
import { readSamples } from '../images/read-samples.js';
import type { SampleArray } from '../images/samples.js';
import { inThread } from '../threads/pool.js';
import type { NamedValues } from './mask-values.js';
import type { ValuedMask } from './valued-mask-work.js';

/** @throws CraneError E_DATA_MASK_VALUES where values cannot be told apart; E_INPUT_*, E_IMAGE_* */
export async function valuedMask(path: string, values: NamedValues, limits: ReadLimits): Promise<ValuedMask> {
  if (await isLossyFile(path)) {
    throw new CraneError(
      'E_DATA_MASK_VALUES',
      `${path}: a file that loses values (JPEG and the like), so none of them can be named`,
      { hint: 'take the label maps as PNG or TIFF, or leave --mask-values out' },
    );
  }
  const { data, width, height, mode } = await readSamples(toPictureSource(path), limits);
  const map = {
    path,
    data: await ownPixels(path, data),
    width,
    height,
    mode,
    palette: await paletteOf(path),
  };
  return inThread('data/valued-mask-work.js', () => import('./valued-mask-work.js'), 'markValues', {
    ...map,
    values,
  });
}

/** In memory that another thread can be given; the decoder library's cannot. */
async function ownPixels(path: string, data: SampleArray): Promise<SampleArray> {
  if (!Buffer.isBuffer(data)) return data;
  return ownCopy(path, data as Uint8Array, { row: data.length, rows: 1, stride: data.length });
}

async function paletteOf(path: string): Promise<Uint8Array | undefined> {
  const file = await openPictureFile(path);
  try {
    return await pngPalette(file);
  } finally {
    await file.close();
  }
}
