/**
 * A strict reader of Windows bitmaps: 1, 4, 8, 16, 24 and 32 bits, uncompressed or with bit fields. The decoder
 * library has none, and BTAD's pictures are BMP. Modes are those in which Pillow opens them.
 */
import { setImmediate } from 'node:timers/promises';
import type { NativePicture, PictureMode } from '../addon/native.js';
import { CraneError } from '../errors.js';

interface BmpHeader {
  width: number;
  height: number;
  topDown: boolean;
  bits: number;
  compression: number;
  /** red, green, blue, alpha; 0: absent */
  masks: [number, number, number, number];
  palette: Uint8Array;
  /** bytes of one palette entry: 3 in OS/2 bitmaps, else 4 */
  entryBytes: number;
  pixelOffset: number;
}

const k_uncompressed = 0;
const k_bitFields = 3;
const k_alphaBitFields = 6;
/** Pixels unpacked before the loop lets others run: well under a millisecond. */
const k_sliceSamples = 100_000;

/** Header, masks and the largest palette; a palette cut off by this is no fault of the file. */
export const bmpHeadBytes = 14 + 124 + 16 + 1024;

/** Size and mode without touching the pixels. */
export function readBmpHeader(bytes: Uint8Array): BmpHeader & { mode: PictureMode } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = bytes.byteLength >= 26 ? view.getUint32(14, true) : 0;
  const isOs2 = headerBytes === 12;
  if (!isOs2 && ![40, 52, 56, 64, 108, 124].includes(headerBytes))
    throw damaged('its header has an unknown length');
  if (bytes.byteLength < 14 + headerBytes) throw damaged('it ends inside its header');

  const width = isOs2 ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = isOs2 ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(isOs2 ? 24 : 28, true);
  const compression = isOs2 ? k_uncompressed : view.getUint32(30, true);
  const height = Math.abs(signedHeight);
  if (width <= 0 || height === 0) throw damaged('its size is not positive');
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw damaged(`it has ${bits} bits per pixel`);
  const hasFields = compression === k_bitFields || compression === k_alphaBitFields;
  if (compression !== k_uncompressed && !(hasFields && (bits === 16 || bits === 32))) {
    throw new CraneError('E_IMAGE_DECODE', `a BMP with compression ${compression} is not read`, {
      hint: 'save it as PNG, or as an uncompressed BMP',
    });
  }

  const masks = hasFields ? readMasks(view, headerBytes, compression) : defaultMasks(bits);
  const masksAfterHeader = hasFields && headerBytes === 40 ? (compression === k_alphaBitFields ? 16 : 12) : 0;
  const entryBytes = isOs2 ? 3 : 4;
  const paletteOffset = 14 + headerBytes + masksAfterHeader;
  const colours = bits > 8 ? 0 : (isOs2 ? 0 : view.getUint32(46, true)) || 2 ** bits;
  if (colours > 2 ** bits) throw damaged(`it has ${colours} colours at ${bits} bits per pixel`);
  if (paletteOffset + colours * entryBytes > bytes.byteLength) throw damaged('it ends inside its palette');
  const palette = bytes.subarray(paletteOffset, paletteOffset + colours * entryBytes);
  const header: BmpHeader = {
    width,
    height,
    topDown: signedHeight < 0,
    bits,
    compression,
    masks,
    palette,
    entryBytes,
    pixelOffset: view.getUint32(10, true),
  };
  return { ...header, mode: modeOf(header) };
}

/**
 * Decodes a whole file. Rows come out top to bottom.
 * @throws CraneError E_IMAGE_DECODE for a damaged file or a kind that is not read
 */
export async function decodeBmp(bytes: Uint8Array): Promise<NativePicture> {
  const header = readBmpHeader(bytes);
  const { width, height, bits, mode } = header;
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (header.pixelOffset + stride * height > bytes.byteLength) throw damaged('it ends before its last row');

  const channels = mode === 'L' ? 1 : mode === 'RGBA' ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  const unpack =
    bits <= 8 ? paletteUnpacker(header, channels) : bits === 24 ? unpackBgr : fieldUnpacker(header, channels);
  const rowsPerSlice = Math.max(1, Math.floor(k_sliceSamples / width));
  for (let row = 0; row < height; row++) {
    if (row > 0 && row % rowsPerSlice === 0) await setImmediate();
    const from = header.pixelOffset + (header.topDown ? row : height - 1 - row) * stride;
    unpack(
      bytes.subarray(from, from + stride),
      data.subarray(row * width * channels, (row + 1) * width * channels),
    );
  }
  return { data, width, height, mode };
}

type Unpack = (src: Uint8Array, dst: Uint8Array) => void;

function unpackBgr(src: Uint8Array, dst: Uint8Array): void {
  for (let at = 0; at < dst.length; at += 3) {
    dst[at] = src[at + 2]!;
    dst[at + 1] = src[at + 1]!;
    dst[at + 2] = src[at]!;
  }
}

function paletteUnpacker({ bits, palette, entryBytes, width }: BmpHeader, channels: number): Unpack {
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  return (src, dst) => {
    for (let x = 0; x < width; x++) {
      const index = (src[Math.floor(x / perByte)]! >> (8 - bits * ((x % perByte) + 1))) & mask;
      // An index past the palette is black, as in Pillow.
      if (channels === 1) dst[x] = palette[index * entryBytes] ?? 0;
      else for (let c = 0; c < 3; c++) dst[x * 3 + c] = palette[index * entryBytes + 2 - c] ?? 0;
    }
  };
}

function fieldUnpacker({ bits, masks, width }: BmpHeader, channels: number): Unpack {
  const fields = masks.slice(0, channels).map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { shift, max: mask >>> shift };
  });
  return (src, dst) => {
    const view = new DataView(src.buffer, src.byteOffset, src.byteLength);
    for (let x = 0; x < width; x++) {
      const value = bits === 16 ? view.getUint16(2 * x, true) : view.getUint32(4 * x, true);
      fields.forEach(({ shift, max }, c) => {
        const field = max === 0 ? 0 : (value >>> shift) & max;
        // Pillow widens 5 and 6 bits by whole-number division.
        dst[x * channels + c] = max === 255 ? field : max === 0 ? 0 : Math.floor((field * 255) / max);
      });
    }
  };
}

function readMasks(view: DataView, headerBytes: number, compression: number): BmpHeader['masks'] {
  const hasAlpha = headerBytes >= 56 || compression === k_alphaBitFields;
  if (view.byteLength < 54 + (hasAlpha ? 16 : 12)) throw damaged('it ends inside its bit fields');
  const at = (index: number) => view.getUint32(54 + 4 * index, true);
  return [at(0), at(1), at(2), hasAlpha ? at(3) : 0];
}

function defaultMasks(bits: number): BmpHeader['masks'] {
  return bits === 16 ? [0x7c00, 0x3e0, 0x1f, 0] : [0xff0000, 0xff00, 0xff, 0];
}

/** A palette that is the grey ramp makes L; black and white alone are bilevel, which is resized like a palette. */
function modeOf({ bits, palette, entryBytes, masks }: BmpHeader): PictureMode {
  if (bits > 8) return masks[3] !== 0 ? 'RGBA' : 'RGB';
  const colours = palette.length / entryBytes;
  if (colours === 2) return 'P';
  for (let index = 0; index < colours; index++) {
    for (let c = 0; c < 3; c++) if (palette[index * entryBytes + c] !== index) return 'P';
  }
  return bits === 8 ? 'L' : 'P';
}

function damaged(what: string): CraneError {
  return new CraneError('E_IMAGE_DECODE', `damaged BMP: ${what}`);
}
