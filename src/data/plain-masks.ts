/**
 * What is done to the pixels of masks, as plain loops on the JavaScript thread in pieces well below a millisecond: for commands that
 * read masks and load no engine, and what the engine's own (native/image/mask_marks.h) is compared with.
 */
import type { NativeAddon, NativePicture } from '../addon/native.js';
import { inSlices, rowsOfSlice } from '../images/in-slices.js';

/** Who works on the pixels: an engine's addon, on its threads, or `plainMasks`. */
export type MaskPixels = Pick<NativeAddon, 'markMask' | 'greyMask' | 'uniteMasks' | 'turnMask'>;

export const plainMasks: MaskPixels = { markMask, greyMask, uniteMasks, turnMask };

async function markMask({ data, width, height, mode }: NativePicture, isLossy: boolean): Promise<Uint8Array> {
  const values = await highestColours(data as Uint8Array, width * height, mode);
  if (!isLossy) return values;
  let most = 0;
  await inSlices(values.length, (from, to) => {
    for (let pixel = from; pixel < to; pixel++) if (values[pixel]! > most) most = values[pixel]!;
  });
  await inSlices(values.length, (from, to) => {
    for (let pixel = from; pixel < to; pixel++) if (2 * values[pixel]! < most) values[pixel] = 0;
  });
  return values;
}

/** The opacity instead, where no colour differs from another pixel's. */
async function highestColours(
  data: Uint8Array,
  pixels: number,
  mode: NativePicture['mode'],
): Promise<Uint8Array> {
  if (mode === 'L') return data;
  const channels = data.length / pixels;
  const hasAlpha = mode === 'LA' || mode === 'RGBA';
  const colours = hasAlpha ? channels - 1 : channels;
  const values = new Uint8Array(pixels);
  const isByAlpha = hasAlpha && (await isCutOut(data, channels));
  await inSlices(
    pixels,
    (from, to) => {
      for (let pixel = from, at = from * channels; pixel < to; pixel++, at += channels) {
        if (isByAlpha) values[pixel] = data[at + colours]!;
        else
          for (let colour = 0; colour < colours; colour++)
            values[pixel] = Math.max(values[pixel]!, data[at + colour]!);
      }
    },
    rowsOfSlice(channels),
  );
  return values;
}

/** One colour everywhere, and something transparent. */
async function isCutOut(data: Uint8Array, channels: number): Promise<boolean> {
  let isOneColour = true;
  let isTransparent = false;
  await inSlices(
    data.length / channels,
    (from, to) => {
      for (let at = from * channels; at < to * channels && isOneColour; at += channels) {
        for (let colour = 0; colour < channels - 1; colour++)
          if (data[at + colour] !== data[colour]) isOneColour = false;
        if (data[at + channels - 1]! < 255) isTransparent = true;
      }
    },
    rowsOfSlice(channels),
  );
  return isOneColour && isTransparent;
}

async function greyMask({ data, width, height }: NativePicture): Promise<Uint8Array> {
  const grey = new Uint8Array(width * height);
  const channels = data.length / grey.length;
  await inSlices(
    grey.length,
    (from, to) => {
      for (let pixel = from, at = from * channels; pixel < to; pixel++, at += channels)
        grey[pixel] = channels < 3 ? data[at]! : luma(data[at]!, data[at + 1]!, data[at + 2]!);
    },
    rowsOfSlice(channels),
  );
  return grey;
}

function luma(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
}

async function uniteMasks(into: Uint8Array, other: Uint8Array): Promise<void> {
  await inSlices(into.length, (from, to) => {
    for (let pixel = from; pixel < to; pixel++) if (other[pixel]! > into[pixel]!) into[pixel] = other[pixel]!;
  });
}

async function turnMask({ data, width, height }: NativePicture, orientation: number): Promise<Uint8Array> {
  const turned = new Uint8Array(data.length);
  const fromRight = orientation === 7 || orientation === 8;
  const fromBelow = orientation === 6 || orientation === 7;
  // Row y of the result is a column of the source; 5 is the plain transposition.
  const turnRows = (from: number, to: number) => {
    let at = from * height;
    for (let y = from; y < to; y++) {
      const column = fromRight ? width - 1 - y : y;
      for (let x = 0; x < height; x++) {
        const row = fromBelow ? height - 1 - x : x;
        turned[at++] = data[row * width + column]!;
      }
    }
  };
  await inSlices(width, turnRows, rowsOfSlice(height));
  return turned;
}
