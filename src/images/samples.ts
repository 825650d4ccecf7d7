/** What the readers of formats hand on: samples as the file holds them, before they become the 8 bits of the model. */
import type { PictureMode } from '../addon/native.js';

export type SampleArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** What the values of a file mean by the file's own word. */
export type StatedRange =
  /** 0 to 2^bits - 1; `container`: nothing but the width of a sample says so; `option`: the caller, for this picture */
  | { kind: 'bits'; bits: number; from: 'container' | 'tag' | 'option' }
  /** `low` is black, `high` is white */
  | { kind: 'range'; low: number; high: number }
  /** floating point, signed or 32-bit values: the file does not say what is white; `type` names them */
  | { kind: 'none'; type: string };

/** Interleaved rows, top to bottom, without padding. */
export interface Samples {
  data: SampleArray;
  width: number;
  height: number;
  /** of the picture once it has 8 bits: never 'I;16' */
  mode: Exclude<PictureMode, 'I;16'>;
  stated: StatedRange;
  /** of a sensor: colours of the cells at (0,0), (1,0), (0,1), (1,1); 0 red, 1 green, 2 blue. One channel then */
  mosaic?: readonly number[];
  /** one bit a pixel, of an array of true and false: turned round by its tag, which a mask is not meant to be */
  isBooleanArray?: boolean;
  /** what has to be known about how it was read, for instance bands that were dropped */
  notes?: readonly PictureNote[];
}

/** Something about a picture that ends nothing but has to be known. */
export interface PictureNote {
  kind: NoteKind;
  /** one sentence without the picture's name */
  message: string;
  /** of 'bit-depth': bits that hold every value */
  bits?: number;
}

export const noteKinds = [
  'bit-depth',
  'outside-range',
  'bands-dropped',
  'one-end',
  'constant',
  'narrow',
  'mask-turned',
  'no-background',
  'profile',
  'transparent',
] as const;

export type NoteKind = (typeof noteKinds)[number];

export const eightBits: StatedRange = { kind: 'bits', bits: 8, from: 'container' };

export const channelsOf: Record<PictureMode, number> = { L: 1, LA: 2, RGB: 3, RGBA: 4, P: 3, 'I;16': 1 };
