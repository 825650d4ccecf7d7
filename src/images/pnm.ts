/**
 * A strict reader of Netpbm pictures: PBM, PGM and PPM, plain and raw, and PFM (floating point). Cameras and line
 * scanners write them, and the decoder library reads none.
 */
import { CraneError } from '../errors.js';
import { allocate } from './allocate.js';
import { inSlices } from './in-slices.js';
import { eightBits, type Samples, type StatedRange } from './samples.js';

export interface PnmHeader {
  width: number;
  height: number;
  channels: 1 | 3;
  kind: 'bits' | 'whole' | 'float';
  /** numbers in text instead of bytes */
  isPlain: boolean;
  /** of 'whole' */
  maxValue: number;
  /** of 'float' */
  littleEndian: boolean;
  /** where the samples begin */
  offset: number;
}

/** Bytes in which a header ends, its comments included. */
export const pnmHeadBytes = 65536;

const k_mostDigits = 10;
/** Samples in text that are read before the loop lets others run. */
const k_plainSlice = 20_000;

/** @param bytes the file, or its first pnmHeadBytes. @throws CraneError E_IMAGE_DECODE without the file's name */
export function readPnmHeader(bytes: Uint8Array): PnmHeader {
  const letter = String.fromCharCode(bytes[1] ?? 0);
  const words = new Words(bytes, 2);
  const width = words.whole('its width');
  const height = words.whole('its height');
  if (width < 1 || height < 1) throw damaged(`its size is ${width} x ${height}`);
  const common = { width, height, isPlain: false, maxValue: 1, littleEndian: false };
  if (letter === 'F' || letter === 'f') {
    const scale = Number(words.next('its scale'));
    if (!Number.isFinite(scale) || scale === 0) throw damaged('its scale is no number, or 0');
    return {
      ...common,
      channels: letter === 'F' ? 3 : 1,
      kind: 'float',
      littleEndian: scale < 0,
      offset: words.endOfHeader(),
    };
  }
  const number = Number(letter);
  const isPlain = number <= 3;
  const isBits = number === 1 || number === 4;
  const maxValue = isBits ? 1 : words.whole('its maximum');
  if (maxValue < 1 || maxValue > 65535) throw damaged(`its maximum is ${maxValue}, expected 1 to 65535`);
  return {
    ...common,
    channels: number === 3 || number === 6 ? 3 : 1,
    kind: isBits ? 'bits' : 'whole',
    isPlain,
    maxValue,
    offset: words.endOfHeader(),
  };
}

/** Bytes of the decoded picture and what is needed on the way. */
export function pnmBytes({ width, height, channels, kind, maxValue }: PnmHeader): number {
  const samples = width * height * channels;
  if (kind === 'bits') return samples * 3;
  return samples * (kind === 'float' ? 5 : maxValue > 255 ? 3 : 1);
}

/** @param bytes the whole file. @throws CraneError E_IMAGE_DECODE, E_IMAGE_ANIMATED, E_MEMORY, without the file's name */
export async function decodePnm(bytes: Uint8Array): Promise<Samples> {
  const header = readPnmHeader(bytes);
  if (header.isPlain) refuseTooShort(header, bytes);
  else refuseMore(header, bytes);
  if (header.kind === 'float') return decodeFloat(header, bytes);
  if (header.kind === 'bits') return decodeBits(header, bytes);
  return decodeWhole(header, bytes);
}

async function decodeWhole(header: PnmHeader, bytes: Uint8Array): Promise<Samples> {
  const { width, height, channels, isPlain, maxValue, offset } = header;
  const count = width * height * channels;
  const mode = channels === 1 ? 'L' : 'RGB';
  const isWide = maxValue > 255;
  const words = new Words(bytes, offset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sampleAt = isPlain
    ? () => words.whole('a sample')
    : isWide
      ? (at: number) => view.getUint16(offset + 2 * at)
      : (at: number) => bytes[offset + at]!;
  const memory = allocate('PNM', count * (isWide ? 2 : 1)).buffer;
  const data = isWide ? new Uint16Array(memory) : new Uint8Array(memory);
  await inSlices(
    count,
    (from, to) => {
      for (let at = from; at < to; at++) {
        const value = sampleAt(at);
        if (value > maxValue) throw damaged(`it has the value ${value}, above its maximum of ${maxValue}`);
        // Below 8 bits Pillow's rounding; above, the levels are made like those of every other format.
        data[at] = isWide || maxValue === 255 ? value : Math.round((value / maxValue) * 255);
      }
    },
    isPlain ? k_plainSlice : undefined,
  );
  return { data, width, height, mode, stated: isWide ? statedBy(maxValue) : eightBits };
}

function statedBy(maxValue: number): StatedRange {
  const bits = Math.log2(maxValue + 1);
  if (bits === 16) return { kind: 'bits', bits, from: 'container' };
  return Number.isInteger(bits)
    ? { kind: 'bits', bits, from: 'tag' }
    : { kind: 'range', low: 0, high: maxValue };
}

/** Bilevel: black and white alone are resized like a palette. 1 is black. */
async function decodeBits(
  { width, height, isPlain, offset }: PnmHeader,
  bytes: Uint8Array,
): Promise<Samples> {
  const data = allocate('PNM', width * height * 3);
  const rowBytes = Math.ceil(width / 8);
  const words = new Words(bytes, offset);
  await inSlices(
    height,
    (from, to) => {
      for (let y = from; y < to; y++) {
        for (let x = 0; x < width; x++) {
          const isBlack = isPlain
            ? words.bit()
            : ((bytes[offset + y * rowBytes + (x >> 3)]! >> (7 - (x & 7))) & 1) === 1;
          data.fill(isBlack ? 0 : 255, (y * width + x) * 3, (y * width + x) * 3 + 3);
        }
      }
    },
    Math.max(1, Math.floor(30_000 / width)),
  );
  return { data, width, height, mode: 'P', stated: eightBits };
}

/** Rows stand from the bottom up. Values are taken as they are; the size of the scale is a unit, not a range. */
async function decodeFloat(
  { width, height, channels, littleEndian, offset }: PnmHeader,
  bytes: Uint8Array,
): Promise<Samples> {
  const row = width * channels;
  const data = new Float32Array(allocate('PFM', row * height * 4).buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  await inSlices(
    height,
    (from, to) => {
      for (let y = from; y < to; y++) {
        const source = offset + (height - 1 - y) * row * 4;
        for (let at = 0; at < row; at++) data[y * row + at] = view.getFloat32(source + at * 4, littleEndian);
      }
    },
    Math.max(1, Math.floor(100_000 / row)),
  );
  const mode = channels === 1 ? 'L' : 'RGB';
  return { data, width, height, mode, stated: { kind: 'none', type: '32-bit floating point' } };
}

/** Every sample takes a byte at least: told before memory is taken for them. */
function refuseTooShort({ width, height, channels, offset }: PnmHeader, bytes: Uint8Array): void {
  if (width * height * channels > bytes.length - offset)
    throw damaged(`it has ${bytes.length - offset} bytes for ${width * height * channels} samples`);
}

/** Samples that end too early, or another picture behind them. */
function refuseMore(header: PnmHeader, bytes: Uint8Array): void {
  const { width, height, channels, kind, maxValue, offset } = header;
  const rowBytes =
    kind === 'bits'
      ? Math.ceil(width / 8)
      : width * channels * (kind === 'float' ? 4 : maxValue > 255 ? 2 : 1);
  const end = offset + rowBytes * height;
  if (end > bytes.length)
    throw damaged(`it ends after ${bytes.length - offset} of ${rowBytes * height} bytes of samples`);
  if (/^P[1-6Ff]\s/.test(String.fromCharCode(...bytes.subarray(end, end + 3)))) {
    throw new CraneError('E_IMAGE_ANIMATED', 'another picture follows the first, expected one', {
      hint: 'save the wanted one as its own file',
    });
  }
}

/** Words between white space and comments. */
class Words {
  readonly bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.#at = at;
  }

  next(what: string): string {
    this.#skip();
    const from = this.#at;
    while (this.#at < this.bytes.length && !isSpace(this.bytes[this.#at]!)) this.#at++;
    if (this.#at === from) throw damaged(`it ends before ${what}`);
    return String.fromCharCode(...this.bytes.subarray(from, Math.min(this.#at, from + 40)));
  }

  whole(what: string): number {
    this.#skip();
    const from = this.#at;
    let value = 0;
    for (; this.#at < this.bytes.length && !isSpace(this.bytes[this.#at]!); this.#at++) {
      const digit = this.bytes[this.#at]! - 0x30;
      if (digit < 0 || digit > 9 || this.#at - from >= k_mostDigits)
        throw damaged(`${what} is no whole number`);
      value = value * 10 + digit;
    }
    if (this.#at === from) throw damaged(`it ends before ${what}`);
    return value;
  }

  /** Digits of a plain bitmap need no space between them. */
  bit(): boolean {
    this.#skip();
    const digit = this.bytes[this.#at++];
    if (digit === undefined) throw damaged('it ends before its last sample');
    if (digit !== 0x30 && digit !== 0x31) throw damaged('a sample is neither 0 nor 1');
    return digit === 0x31;
  }

  /** Exactly one white space parts the header from bytes. */
  endOfHeader(): number {
    if (!isSpace(this.bytes[this.#at] ?? 0)) throw damaged('it ends inside its header');
    return this.#at + 1;
  }

  #skip(): void {
    for (let isComment = false; this.#at < this.bytes.length; this.#at++) {
      const byte = this.bytes[this.#at]!;
      if (byte === 0x23) isComment = true;
      else if (isComment) isComment = byte !== 0x0a && byte !== 0x0d;
      else if (!isSpace(byte)) return;
    }
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function damaged(what: string): CraneError {
  return new CraneError('E_IMAGE_DECODE', `damaged PNM: ${what}`);
}
