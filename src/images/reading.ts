/** What a caller may choose about how picture files become the 8 bits that the model sees (docs/pictures.md). */
import { defaultOf } from '../options/table.js';
import type { PictureChoices } from '../options/types.js';

export interface ValueRange {
  /** black */
  low: number;
  /** white */
  high: number;
}

export interface Reading {
  /** apply the EXIF orientation */
  exif: boolean;
  /** bits that a picture of more than 8 bits really uses; 'auto': what the file says */
  bitDepth: 'auto' | number;
  /** of pictures of more than 8 bits; wins over `bitDepth`; null: what the file says */
  valueRange: ValueRange | null;
  /** 16-bit grey as the reference has it: resized with 16 bits, then everything above 255 is white */
  grey16: boolean;
  /** masks as the reference reads them: above 0 after conversion to 8-bit grey (data/label-mask.ts) */
  maskGrey: boolean;
}

export function readingOf({
  bitDepth,
  valueRange,
  compat,
}: Pick<PictureChoices, 'bitDepth' | 'valueRange' | 'compat'> = {}): Reading {
  return {
    exif: compat?.exif ?? defaultOf('compat.exif'),
    bitDepth: bitDepth ?? defaultOf('bitDepth'),
    valueRange: valueRange ?? null,
    grey16: compat?.grey16 ?? defaultOf('compat.grey16'),
    maskGrey: compat?.maskGrey ?? defaultOf('compat.maskGrey'),
  };
}

/** What differs from the default, for identities that do not name the default; `exif` has a place of its own there. */
export function changedReading({
  bitDepth,
  valueRange,
  grey16,
  maskGrey,
}: Reading): Partial<Omit<Reading, 'exif'>> {
  return {
    ...(bitDepth === defaultOf('bitDepth') ? {} : { bitDepth }),
    ...(valueRange === null ? {} : { valueRange }),
    ...(grey16 === defaultOf('compat.grey16') ? {} : { grey16 }),
    ...(maskGrey === defaultOf('compat.maskGrey') ? {} : { maskGrey }),
  };
}

/**
 * What of it decides how values become grey levels, and differs from the default; undefined: nothing does. Orientation is left out:
 * a test beside published figures opens pictures as they are stored, and its normal pictures may be those of any engine.
 */
export type LevelReading = Partial<Omit<Reading, 'maskGrey' | 'exif'>>;

export function changedLevelReading(reading: Reading): LevelReading | undefined {
  const { maskGrey: _, ...changed } = changedReading(reading);
  return Object.keys(changed).length === 0 ? undefined : changed;
}

/** From what a run's record holds of it. */
export function recordedReading({
  exif,
  ...changed
}: { exif: boolean } & { [K in keyof Omit<Reading, 'exif'>]?: Reading[K] | undefined }): Reading {
  const { bitDepth, valueRange, grey16, maskGrey } = changed;
  return readingOf({
    ...(bitDepth === undefined ? {} : { bitDepth }),
    ...(valueRange === undefined ? {} : { valueRange }),
    compat: {
      exif,
      ...(grey16 === undefined ? {} : { grey16 }),
      ...(maskGrey === undefined ? {} : { maskGrey }),
    },
  });
}
