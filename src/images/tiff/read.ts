/**
 * Reads the samples of a TIFF that the decoder library would take for something else, or not at all. Only colours and
 * alpha are kept; everything comes out interleaved, upright and in the machine's byte order.
 */
import { allocate } from '../allocate.js';
import { inSlices } from '../in-slices.js';
import { orient } from '../orient.js';
import type { PictureNote, SampleArray, Samples } from '../samples.js';
import { decompress } from './compression.js';
import { damaged, type ReadBytes } from './directory.js';
import { photometrics, type TiffForm } from './form.js';
import { rowReader } from './row-reader.js';
import { unpackYcbcr } from './ycbcr.js';

/** No compression that is read makes pixels twice as long, but for its heads and tables. */
const k_packedSlack = 1024;

/** Bytes of the samples, of the levels that are made of them, and of a strip or tile, packed and unpacked. */
export function ownBytes(form: TiffForm): number {
  const { width, height, chunks, samples } = form;
  const chunk = 2 * chunks.width * chunks.height * samples * sampleBytes(form);
  const colours = form.mosaic === undefined ? 0 : 3 * width * height;
  return width * height * keptBands(form).length * (sampleBytes(form) + 1) + chunk + colours;
}

/** @throws CraneError E_IMAGE_DECODE, E_MEMORY, without the file's name */
export async function readOwnTiff(read: ReadBytes, form: TiffForm, littleEndian: boolean): Promise<Samples> {
  const { width, height, photometric, stated, orientation } = form;
  const bands = keptBands(form);
  const data =
    photometric === photometrics.ycbcr
      ? await readYcbcr(read, form)
      : await readBands(read, form, littleEndian, bands);
  if (photometric === photometrics.whiteIsZero) await invert(data, form);
  if (form.isPremultiplied && form.alpha !== undefined) await unpremultiply(data, bands.length, form);
  const upright = await orient({ data, width, height }, bands.length, orientation);
  const mode = bands.length === 1 ? 'L' : bands.length === 2 ? 'LA' : bands.length === 3 ? 'RGB' : 'RGBA';
  return { ...upright, mode, stated, notes: droppedNotes(form) };
}

export function droppedNotes({ dropped, samples }: TiffForm): PictureNote[] {
  if (dropped === 0) return [];
  const which = dropped === 1 ? `one of its ${samples} bands is` : `${dropped} of its ${samples} bands are`;
  const message = `${which} neither colour nor alpha and left out`;
  return [{ kind: 'bands-dropped', message }];
}

function keptBands({ colours, alpha }: TiffForm): number[] {
  const bands = colours === 3 ? [0, 1, 2] : [0];
  return alpha === undefined ? bands : [...bands, alpha];
}

function sampleBytes({ bits, sampleFormat }: TiffForm): number {
  if (sampleFormat === 'float') return bits === 64 ? 8 : 4;
  return bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
}

function arrayFor(form: TiffForm, count: number): SampleArray {
  const memory = allocate('TIFF', count * sampleBytes(form)).buffer;
  const { bits, sampleFormat } = form;
  if (sampleFormat === 'float') return bits === 64 ? new Float64Array(memory) : new Float32Array(memory);
  const isSigned = sampleFormat === 'signed';
  if (bits <= 8) return isSigned ? new Int8Array(memory) : new Uint8Array(memory);
  if (bits <= 16) return isSigned ? new Int16Array(memory) : new Uint16Array(memory);
  return isSigned ? new Int32Array(memory) : new Uint32Array(memory);
}

async function readBands(
  read: ReadBytes,
  form: TiffForm,
  littleEndian: boolean,
  bands: readonly number[],
): Promise<SampleArray> {
  const { width, height, samples, isPlanar, chunks } = form;
  const data = arrayFor(form, width * height * bands.length);
  const inChunk = isPlanar ? 1 : samples;
  const readRow = rowReader(form, inChunk, littleEndian);
  const rowBytes = Math.ceil((chunks.width * inChunk * form.bits) / 8);
  const row = new Float64Array(chunks.width * inChunk);
  for (const [to, band] of bands.entries()) {
    if (!isPlanar && to > 0) break;
    for (const place of placesOf(form, isPlanar ? band : 0)) {
      const bytes = await chunkAt(read, form, place, rowBytes * place.rows);
      const columns = Math.min(chunks.width, width - place.x);
      await inSlices(
        Math.min(place.rows, height - place.y),
        (from, end) => {
          for (let y = from; y < end; y++) {
            readRow(bytes.subarray(y * rowBytes, (y + 1) * rowBytes), row);
            let at = ((place.y + y) * width + place.x) * bands.length + (isPlanar ? to : 0);
            if (isPlanar) for (let x = 0; x < columns; x++, at += bands.length) data[at] = row[x]!;
            else
              for (let x = 0; x < columns; x++)
                for (const kept of bands) data[at++] = row[x * samples + kept]!;
          }
        },
        Math.max(1, Math.floor(30_000 / row.length)),
      );
    }
  }
  return data;
}

interface Place {
  /** index among the chunks */
  chunk: number;
  x: number;
  y: number;
  /** rows stored; of a tile also those below the picture */
  rows: number;
}

function* placesOf({ width, height, chunks, isPlanar, samples }: TiffForm, band: number): Generator<Place> {
  const across = Math.ceil(width / chunks.width);
  const down = Math.ceil(height / chunks.height);
  const expected = across * down * (isPlanar ? samples : 1);
  if (chunks.offsets.length < expected || chunks.byteCounts.length < expected)
    throw damaged(`it lists ${chunks.offsets.length} strips or tiles, expected ${expected}`);
  for (let index = 0; index < across * down; index++) {
    const y = Math.floor(index / across) * chunks.height;
    yield {
      chunk: band * across * down + index,
      x: (index % across) * chunks.width,
      y,
      rows: chunks.isTiled ? chunks.height : Math.min(chunks.height, height - y),
    };
  }
}

async function chunkAt(
  read: ReadBytes,
  { chunks, compression }: TiffForm,
  { chunk }: Place,
  bytes: number,
): Promise<Uint8Array> {
  const offset = chunks.offsets[chunk]!;
  const count = chunks.byteCounts[chunk]!;
  // All strips may state the whole file, and a stream may hold nothing for as long as it likes.
  const needed = Math.min(count, 2 * bytes + k_packedSlack);
  const packed = await read(offset, needed);
  const isWhole = needed === count || (await read(offset + count - 1, 1)).length === 1;
  if (packed.length < needed || !isWhole) throw damaged('it ends before its last strip or tile');
  return decompress(packed, compression, bytes);
}

async function readYcbcr(read: ReadBytes, form: TiffForm): Promise<Uint8Array> {
  const { width, height, chunks, isPlanar, samples } = form;
  if (isPlanar || samples !== 3) throw damaged('YCbCr in separate planes or with further bands is not read');
  const data = allocate('TIFF', width * height * 3);
  const [across = 2, down = 2] = form.ycbcr.subsampling;
  if (![1, 2, 4].includes(across) || ![1, 2, 4].includes(down))
    throw damaged(`its colours stand for ${across} x ${down} pixels`);
  for (const place of placesOf(form, 0)) {
    const unitsAcross = Math.ceil(chunks.width / across);
    const unitsDown = Math.ceil(place.rows / down);
    const bytes = await chunkAt(read, form, place, unitsAcross * unitsDown * (across * down + 2));
    await unpackYcbcr(bytes, data, { ...form.ycbcr, across, down, unitsAcross, place, width, height });
  }
  return data;
}

async function invert(data: SampleArray, { bits, colours, alpha }: TiffForm): Promise<void> {
  const most = 2 ** bits - 1;
  const step = colours + (alpha === undefined ? 0 : 1);
  await inSlices(data.length / step, (from, to) => {
    for (let pixel = from; pixel < to; pixel++) data[pixel * step] = most - data[pixel * step]!;
  });
}

/** As Pillow does with RGBa; what is fully transparent stays as it is. */
async function unpremultiply(data: SampleArray, step: number, { bits }: TiffForm): Promise<void> {
  const most = 2 ** bits - 1;
  await inSlices(data.length / step, (from, to) => {
    for (let pixel = from; pixel < to; pixel++) {
      const alpha = data[pixel * step + step - 1]!;
      if (alpha === 0 || alpha === most) continue;
      for (let band = 0; band < step - 1; band++) {
        const at = pixel * step + band;
        data[at] = Math.min(most, Math.floor((most * data[at]!) / alpha));
      }
    }
  });
}
