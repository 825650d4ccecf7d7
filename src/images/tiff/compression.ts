/** Undoes the compression of strips and tiles: none, LZW, Deflate and PackBits. */

import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, inflate } from 'node:zlib';
import { damaged } from './directory.js';

const k_none = 1;
const k_lzw = 5;
const k_jpeg = 7;
const k_deflate = [8, 32946];
const k_packBits = 32773;

export const compressions = {
  none: k_none,
  jpeg: k_jpeg,
  own: [k_none, k_lzw, ...k_deflate, k_packBits] as readonly number[],
  /** also fax (2 to 4) and WebP */
  library: [k_none, 2, 3, 4, k_lzw, 6, k_jpeg, ...k_deflate, k_packBits, 50001] as readonly number[],
};

const k_names: Readonly<Record<number, string>> = {
  2: 'CCITT',
  3: 'CCITT Group 3',
  4: 'CCITT Group 4',
  6: 'old-style JPEG',
  7: 'JPEG',
  9: 'JBIG',
  10: 'JBIG',
  32766: 'NeXT',
  32809: 'ThunderScan',
  33003: 'JPEG 2000',
  33005: 'JPEG 2000',
  34661: 'JBIG',
  34676: 'SGI LogLuv',
  34677: 'SGI LogLuv',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34892: 'lossy JPEG',
  34925: 'LZMA',
  34927: 'WebP',
  34933: 'PNG',
  34934: 'JPEG XR',
  50000: 'Zstandard',
  50001: 'WebP',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};

export function compressionName(compression: number): string {
  return k_names[compression] ?? `scheme ${compression}`;
}

/** JPEG and WebP: a WebP within a TIFF does not say whether it is lossless. */
export function isLossyCompression(compression: number): boolean {
  return compression === 6 || compression === k_jpeg || compression === 50001;
}

/** Whether the tag Predictor counts: libtiff heeds it with LZW and Deflate alone. */
export function hasPredictor(compression: number): boolean {
  return compression === k_lzw || k_deflate.includes(compression);
}

const inflateBytes = promisify(inflate);

/**
 * @param bytes how many come out; more are cut off
 * @throws CraneError E_IMAGE_DECODE without the file's name
 */
export async function decompress(
  packed: Uint8Array,
  compression: number,
  bytes: number,
): Promise<Uint8Array> {
  const unpacked = await undo(packed, compression, bytes);
  if (unpacked.length < bytes) throw damaged(`a strip or tile has ${unpacked.length} of ${bytes} bytes`);
  return unpacked.subarray(0, bytes);
}

async function undo(packed: Uint8Array, compression: number, bytes: number): Promise<Uint8Array> {
  if (k_deflate.includes(compression)) return inflateAll(packed, bytes);
  if (compression === k_lzw) return undoLzw(packed, bytes);
  if (compression === k_packBits) return undoPackBits(packed, bytes);
  return packed;
}

/** On the threads of zlib. What is there of a stream that ends too early is told by its length. */
async function inflateAll(packed: Uint8Array, bytes: number): Promise<Uint8Array> {
  try {
    // A byte for the end of the stream; what claims to hold more than its size is damaged, or an attack.
    return await inflateBytes(packed, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: bytes + 65536,
    });
  } catch {
    throw damaged('a strip or tile is no Deflate stream');
  }
}

function undoPackBits(packed: Uint8Array, bytes: number): Uint8Array {
  const unpacked = new Uint8Array(bytes);
  let to = 0;
  for (let at = 0; at < packed.length && to < bytes; ) {
    const control = packed[at++]!;
    if (control === 128) continue;
    if (control < 128) {
      const run = packed.subarray(at, at + control + 1);
      unpacked.set(run.subarray(0, bytes - to), to);
      at += control + 1;
      to += run.length;
    } else {
      const repeat = 257 - control;
      unpacked.fill(packed[at++] ?? 0, to, to + repeat);
      to += repeat;
    }
  }
  return unpacked.subarray(0, Math.min(to, bytes));
}

const k_clear = 256;
const k_end = 257;
const k_mostCodes = 4096;
/** Bytes that come out before the loop lets others run. */
const k_lzwSlice = 200_000;

/** Codes of 9 to 12 bits, first bit first, each width ending one code early, as TIFF 6.0 says. */
async function undoLzw(packed: Uint8Array, bytes: number): Promise<Uint8Array> {
  const unpacked = new Uint8Array(bytes);
  /** of each code: where its text stands in what was unpacked, and how long it is */
  const starts = new Uint32Array(k_mostCodes);
  const lengths = new Uint32Array(k_mostCodes);
  let codes = k_end + 1;
  let width = 9;
  let held = 0;
  let heldBits = 0;
  let to = 0;
  let yielded = 0;
  let hasPrevious = false;
  let previousStart = 0;
  let previousLength = 0;
  for (let at = 0; to < bytes; ) {
    while (heldBits < width && at < packed.length) {
      held = ((held << 8) | packed[at++]!) & 0xffffff;
      heldBits += 8;
    }
    if (heldBits < width) break;
    const code = (held >> (heldBits - width)) & ((1 << width) - 1);
    heldBits -= width;
    if (code === k_end) break;
    if (code === k_clear) {
      codes = k_end + 1;
      width = 9;
      hasPrevious = false;
      continue;
    }
    const start = to;
    let length: number;
    if (code < 256) {
      unpacked[to] = code;
      length = 1;
    } else {
      const isNew = code === codes && hasPrevious;
      if (code >= codes && !isNew) throw damaged('an LZW code that was not defined');
      const from = isNew ? previousStart : starts[code]!;
      length = isNew ? previousLength + 1 : lengths[code]!;
      // Byte by byte: the text may overlap what is being written.
      for (let n = 0; n < length && to + n < bytes; n++) unpacked[to + n] = unpacked[from + n]!;
    }
    to += length;
    if (hasPrevious && codes < k_mostCodes) {
      // The previous text and the first byte of this one stand one after the other already.
      starts[codes] = previousStart;
      lengths[codes] = previousLength + 1;
      codes++;
      if (codes + 1 >= 1 << width && width < 12) width++;
    }
    hasPrevious = true;
    previousStart = start;
    previousLength = length;
    if (to - yielded > k_lzwSlice) {
      yielded = to;
      await setImmediate();
    }
  }
  return unpacked.subarray(0, Math.min(to, bytes));
}
