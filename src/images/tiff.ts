/** The two facts of a TIFF that sharp's metadata leaves out: is it a palette picture, and are samples numbers. */
export interface TiffFacts {
  /** tag 262: 0 and 1 grey, 2 RGB, 3 palette, 5 separated inks, 6 YCbCr, ... */
  photometric: number | undefined;
  /** tag 339: 1 unsigned, 2 signed, 3 floating point */
  sampleFormat: number;
}

const k_photometric = 262;
const k_sampleFormat = 339;
const k_maxEntries = 4096;

/**
 * Reads the first directory of a classic or a big TIFF.
 * @param read gives `length` bytes at `position`, fewer at the end of the file
 */
export async function readTiffFacts(
  read: (position: number, length: number) => Promise<Uint8Array>,
): Promise<TiffFacts> {
  const head = view(await read(0, 16));
  const little = head.byteLength >= 2 && head.getUint8(0) === 0x49;
  const big = head.byteLength === 16 && head.getUint16(2, little) === 43;
  if (head.byteLength < 8) return { photometric: undefined, sampleFormat: 1 };
  const start = big ? Number(head.getBigUint64(8, little)) : head.getUint32(4, little);

  const countBytes = big ? 8 : 2;
  const count = view(await read(start, countBytes));
  const facts: TiffFacts = { photometric: undefined, sampleFormat: 1 };
  if (count.byteLength < countBytes) return facts;
  const entries = Math.min(
    k_maxEntries,
    big ? Number(count.getBigUint64(0, little)) : count.getUint16(0, little),
  );

  const entryBytes = big ? 20 : 12;
  const table = view(await read(start + countBytes, entries * entryBytes));
  for (let at = 0; at + entryBytes <= table.byteLength; at += entryBytes) {
    const tag = table.getUint16(at, little);
    // A single SHORT stands in the entry itself; of several, the first does (or an offset, which is no format).
    const value = table.getUint16(at + (big ? 12 : 8), little);
    if (tag === k_photometric) facts.photometric = value;
    if (tag === k_sampleFormat && value >= 1 && value <= 6) facts.sampleFormat = value;
  }
  return facts;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
