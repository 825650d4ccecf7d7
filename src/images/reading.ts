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

/** What of it decides a picture's pixels and differs from the default; undefined: nothing does. */
export type PictureReading = Partial<Omit<Reading, 'maskGrey'>>;

export function changedPictureReading(reading: Reading): PictureReading | undefined {
  const { maskGrey: _, ...changed } = changedReading(reading);
  const all = { ...changed, ...(reading.exif === defaultOf('compat.exif') ? {} : { exif: reading.exif }) };
  return Object.keys(all).length === 0 ? undefined : all;
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
