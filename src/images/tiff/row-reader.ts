/** From the bytes of a row to its numbers: any number of bits, both byte orders, predictors undone. */
import type { TiffForm } from './form.js';

type RowReader = (bytes: Uint8Array, row: Float64Array) => void;

const k_horizontal = 2;
const k_floatingPoint = 3;
const k_halfWord = 2 ** 32;

/** @param bands interleaved in the row */
export function rowReader(form: TiffForm, bands: number, littleEndian: boolean): RowReader {
  const { bits, sampleFormat, predictor } = form;
  if (sampleFormat === 'float') {
    if (predictor === k_floatingPoint) return shuffledFloats(bits, bands);
    const plain = floats(bits, littleEndian);
    return predictor === k_horizontal ? differencedFloats(bits, bands, littleEndian, plain) : plain;
  }
  const plain = wholes(bits, littleEndian);
  const modulus = 2 ** bits;
  const isSigned = sampleFormat === 'signed';
  return (bytes, row) => {
    plain(bytes, row);
    if (predictor === k_horizontal)
      for (let at = bands; at < row.length; at++) row[at] = (row[at]! + row[at - bands]!) % modulus;
    if (isSigned) for (let at = 0; at < row.length; at++) if (row[at]! >= modulus / 2) row[at]! -= modulus;
  };
}

function wholes(bits: number, littleEndian: boolean): RowReader {
  if (bits === 8) return (bytes, row) => row.set(bytes.subarray(0, row.length));
  if (bits === 16 || bits === 32) {
    return (bytes, row) => {
      const view = viewOf(bytes);
      for (let at = 0; at < row.length; at++)
        row[at] = bits === 16 ? view.getUint16(2 * at, littleEndian) : view.getUint32(4 * at, littleEndian);
    };
  }
  if (bits === 24) {
    return (bytes, row) => {
      for (let at = 0; at < row.length; at++) {
        const [a, b, c] = [bytes[3 * at]!, bytes[3 * at + 1]!, bytes[3 * at + 2]!];
        row[at] = littleEndian ? a + b * 256 + c * 65536 : a * 65536 + b * 256 + c;
      }
    };
  }
  // Packed, first bit first, whatever the byte order.
  return (bytes, row) => {
    let held = 0;
    let heldBits = 0;
    let from = 0;
    for (let at = 0; at < row.length; at++) {
      while (heldBits < bits) {
        held = held * 256 + (bytes[from++] ?? 0);
        heldBits += 8;
      }
      heldBits -= bits;
      const value = Math.floor(held / 2 ** heldBits);
      held -= value * 2 ** heldBits;
      row[at] = value;
    }
  };
}

function floats(bits: number, littleEndian: boolean): RowReader {
  return (bytes, row) => {
    const view = viewOf(bytes);
    for (let at = 0; at < row.length; at++) row[at] = floatAt(view, at * (bits / 8), bits, littleEndian);
  };
}

/** As libtiff writes them: the differences are of the words, as if they were whole numbers, not of what they mean. */
function differencedFloats(bits: number, bands: number, littleEndian: boolean, plain: RowReader): RowReader {
  const size = bits / 8;
  return (bytes, row) => {
    const undone = Uint8Array.from(bytes);
    const view = viewOf(undone);
    for (let at = bands; at < row.length; at++)
      addWord(view, at * size, (at - bands) * size, bits, littleEndian);
    plain(undone, row);
  };
}

/** Modulo 2^bits, of 64 bits by halves. */
function addWord(view: DataView, to: number, from: number, bits: number, littleEndian: boolean): void {
  if (bits === 16) {
    view.setUint16(to, view.getUint16(to, littleEndian) + view.getUint16(from, littleEndian), littleEndian);
    return;
  }
  const [low, high] = bits === 32 ? [0, undefined] : littleEndian ? [0, 4] : [4, 0];
  const sum = view.getUint32(to + low, littleEndian) + view.getUint32(from + low, littleEndian);
  view.setUint32(to + low, sum, littleEndian);
  if (high === undefined) return;
  const carried = sum >= k_halfWord ? 1 : 0;
  const rest = view.getUint32(to + high, littleEndian) + view.getUint32(from + high, littleEndian) + carried;
  view.setUint32(to + high, rest, littleEndian);
}

/** Adobe's predictor: the bytes of a row by weight, highest first, as differences. */
function shuffledFloats(bits: number, bands: number): RowReader {
  const size = bits / 8;
  return (bytes, row) => {
    const undone = Uint8Array.from(bytes);
    for (let at = bands; at < undone.length; at++) undone[at] = (undone[at]! + undone[at - bands]!) & 255;
    const value = new DataView(new ArrayBuffer(size));
    for (let at = 0; at < row.length; at++) {
      for (let byte = 0; byte < size; byte++) value.setUint8(byte, undone[byte * row.length + at]!);
      row[at] = floatAt(value, 0, bits, false);
    }
  };
}

function floatAt(view: DataView, at: number, bits: number, littleEndian: boolean): number {
  if (bits === 64) return view.getFloat64(at, littleEndian);
  return bits === 32 ? view.getFloat32(at, littleEndian) : halfOf(view.getUint16(at, littleEndian));
}

function halfOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
