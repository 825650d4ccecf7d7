/** The head of a JPEG 2000 file, JP2 or bare codestream (ISO/IEC 15444-1, annexes A and I). Hostile input until it is checked. */
import { CraneError } from '../errors.js';

export interface Jp2Header {
  width: number;
  height: number;
  components: number;
  bits: number;
  /** its wavelet keeps every value; where it was cut to a size it may have lost some all the same */
  isReversible: boolean;
}

const k_sizMarker = 0xff51;
const k_codMarker = 0xff52;
const k_tileMarker = 0xff90;
const k_mostBoxes = 64;
const k_mostMarkers = 256;
/** Enumerated colour spaces that are grey or RGB. */
const k_plainColours = [16, 17];

type Read = (position: number, length: number) => Promise<Uint8Array>;

/** @throws CraneError E_IMAGE_DECODE, E_IMAGE_COLOUR, E_IMAGE_FORMAT, without the file's name */
export async function readJp2Header(read: Read): Promise<Jp2Header> {
  return readCodestream(read, await codestreamAt(read));
}

async function codestreamAt(read: Read): Promise<number> {
  if ((await viewAt(read, 0, 4)).getUint16(0) === 0xff4f) return 0;
  let at = 0;
  for (let box = 0; box < k_mostBoxes; box++) {
    const { kind, from, end } = await boxAt(read, at);
    if (kind === 'jp2c') return from;
    if (kind === 'jp2h') await checkColours(read, from, end);
    if (end <= at) break;
    at = end;
  }
  throw damaged('it holds no picture');
}

async function checkColours(read: Read, start: number, stop: number): Promise<void> {
  let at = start;
  for (let box = 0; box < k_mostBoxes && at < stop; box++) {
    const { kind, from, end } = await boxAt(read, at);
    if (kind === 'pclr')
      throw new CraneError('E_IMAGE_FORMAT', 'a JPEG 2000 with a palette, which is not read', {
        hint: 'convert it to PNG',
      });
    if (kind === 'colr') {
      const colour = await viewAt(read, from, 7);
      const isNamed = colour.getUint8(0) === 1;
      if (isNamed && !k_plainColours.includes(colour.getUint32(3)))
        throw new CraneError('E_IMAGE_COLOUR', 'a JPEG 2000 in other colours than grey or RGB', {
          hint: 'convert it to RGB first: how it becomes colours is a choice',
        });
    }
    if (end <= at) break;
    at = end;
  }
}

async function boxAt(read: Read, at: number): Promise<{ kind: string; from: number; end: number }> {
  const head = await viewAt(read, at, 8);
  const short = head.getUint32(0);
  const kind = String.fromCharCode(...[4, 5, 6, 7].map((byte) => head.getUint8(byte)));
  // 1: a long length follows; 0: to the end of the file.
  if (short === 1) {
    const long = Number((await viewAt(read, at + 8, 8)).getBigUint64(0));
    return { kind, from: at + 16, end: at + long };
  }
  return { kind, from: at + 8, end: short === 0 ? Number.MAX_SAFE_INTEGER : at + short };
}

async function readCodestream(read: Read, start: number): Promise<Jp2Header> {
  let size: Omit<Jp2Header, 'isReversible'> | undefined;
  let isReversible: boolean | undefined;
  let at = start + 2;
  for (let count = 0; count < k_mostMarkers; count++) {
    const head = await viewAt(read, at, 4);
    const marker = head.getUint16(0);
    if (marker === k_tileMarker) break;
    const length = head.getUint16(2);
    if (marker === k_sizMarker) size = await readSize(read, at + 4, length - 2);
    // The transformation is the last of five bytes about blocks, behind five about the style.
    if (marker === k_codMarker) isReversible = (await viewAt(read, at + 4, 10)).getUint8(9) === 1;
    at += 2 + length;
  }
  if (size === undefined || isReversible === undefined) throw damaged('its header is not whole');
  return { ...size, isReversible };
}

async function readSize(read: Read, at: number, bytes: number): Promise<Omit<Jp2Header, 'isReversible'>> {
  const size = await viewAt(read, at, 36);
  const components = size.getUint16(34);
  const [width, height] = [size.getUint32(2) - size.getUint32(10), size.getUint32(6) - size.getUint32(14)];
  if (!(width > 0 && height > 0 && components > 0 && bytes >= 36 + 3 * components))
    throw damaged('its size makes no sense');
  if (components !== 1 && components !== 3)
    throw unread(`${components} bands`, 'save it as grey or RGB, without alpha');
  const each = await viewAt(read, at + 36, 3 * components);
  const [form, across, down] = [0, 1, 2].map((byte) => each.getUint8(byte));
  for (let of = 1; of < components; of++)
    if ([form, across, down].some((value, byte) => each.getUint8(3 * of + byte) !== value))
      throw unread('bands of different size or depth', 'convert it to PNG');
  if (across !== 1 || down !== 1) throw unread('bands of different size or depth', 'convert it to PNG');
  const bits = (form! & 0x7f) + 1;
  if (form! & 0x80 || bits < 8 || bits > 16)
    throw unread(`${form! & 0x80 ? 'signed ' : ''}values of ${bits} bits`, 'save it with 8 to 16 bits');
  return { width, height, components, bits };
}

/** @throws CraneError E_IMAGE_DECODE where the file ends before */
async function viewAt(read: Read, position: number, length: number): Promise<DataView> {
  const bytes = Number.isSafeInteger(position + length) ? await read(position, length) : new Uint8Array();
  if (bytes.length < length) throw damaged('it ends inside its header');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function unread(what: string, how: string): CraneError {
  return new CraneError('E_IMAGE_FORMAT', `a JPEG 2000 of a form that is not read: ${what}`, { hint: how });
}

function damaged(what: string): CraneError {
  return new CraneError('E_IMAGE_DECODE', `damaged JPEG 2000: ${what}`);
}
