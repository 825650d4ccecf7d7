// Small files that claim to be large pictures. node test/fire/bombs.mjs: each in a process of its own that has decoded a small
// picture before; the milliseconds until it is refused and how much the memory's peak grew.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const pictures = join(root, 'test', 'unit', 'images');
const k_maxPixels = 100_000_000;

const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const chunk = (type, data) => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([u32(data.length), body, u32(crc32(body))]);
};
function png(width, height, bits, colour, rows, ...more) {
  const header = Buffer.concat([u32(width), u32(height), Buffer.from([bits, colour, 0, 0, 0])]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...more,
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** With one number of 16 bits for its compression, one strip of almost nothing. */
function tiff(width, height, compression) {
  const entries = [
    [256, 4, width],
    [257, 4, height],
    [258, 3, 8],
    [259, 3, compression],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 4, height],
    [279, 4, 16],
  ];
  const out = Buffer.alloc(24 + 2 + entries.length * 12 + 4);
  out.write('II*\0', 0, 'latin1');
  out.writeUInt32LE(24, 4);
  out.writeUInt16LE(entries.length, 24);
  entries.forEach(([tag, type, value], i) => {
    const at = 26 + 12 * i;
    out.writeUInt16LE(tag, at);
    out.writeUInt16LE(type, at + 2);
    out.writeUInt32LE(1, at + 4);
    if (type === 3) out.writeUInt16LE(value, at + 8);
    else out.writeUInt32LE(value, at + 8);
  });
  return out;
}

/** A file of ours whose size is another. */
function withSize(file, find, write) {
  const bytes = Buffer.from(readFileSync(join(pictures, file)));
  const at = bytes.indexOf(find);
  if (at < 0) throw new Error(`${file} has no ${find}`);
  write(bytes, at);
  return bytes;
}

function bmp(width, height, compression) {
  const out = Buffer.alloc(70);
  out.write('BM', 0, 'latin1');
  out.writeUInt32LE(70, 2);
  out.writeUInt32LE(62, 10);
  out.writeUInt32LE(40, 14);
  out.writeInt32LE(width, 18);
  out.writeInt32LE(height, 22);
  out.writeUInt16LE(1, 26);
  out.writeUInt16LE(compression === 1 ? 8 : 24, 28);
  out.writeUInt32LE(compression, 30);
  return out;
}

const zeros = (count) => Buffer.alloc(count);

export const bombs = {
  'PNG of 65,500 x 65,500': () => png(65_500, 65_500, 8, 2, zeros(100)),
  'PNG of 2^31 - 1 a side': () => png(2 ** 31 - 1, 2 ** 31 - 1, 8, 2, zeros(100)),
  'PNG of 16 bits, 20,000 x 20,000': () => png(20_000, 20_000, 16, 6, zeros(100)),
  'PNG of 1 bit, 30,000 x 30,000, all rows there': () => png(30_000, 30_000, 1, 0, zeros(3751 * 30_000)),
  'JPEG of 65,500 x 65,500': () =>
    withSize('pictures/rgb_q95_s0.jpg', Buffer.from([0xff, 0xc0]), (bytes, at) => {
      bytes.writeUInt16BE(65_500, at + 5);
      bytes.writeUInt16BE(65_500, at + 7);
    }),
  'TIFF by LZW, 60,000 x 60,000': () => tiff(60_000, 60_000, 5),
  'TIFF by Deflate, 2^31 - 1 a side': () => tiff(2 ** 31 - 1, 2 ** 31 - 1, 8),
  'TIFF by PackBits, 4 x 10^9 x 1': () => tiff(4_000_000_000, 1, 32773),
  'BMP, 60,000 x 60,000': () => bmp(60_000, 60_000, 0),
  'BMP by runs, 60,000 x 60,000': () => bmp(60_000, 60_000, 1),
  'PGM, 60,000 x 60,000': () => Buffer.from('P5\n60000 60000\n255\n\0\0\0\0', 'latin1'),
  'GIF, 65,535 x 65,535': () =>
    withSize('pictures/p.gif', Buffer.from('GIF8', 'latin1'), (bytes, at) => {
      // Its first frame too: a screen alone is taken for a mistake.
      let frame = at + 13 + 3 * 2 ** ((bytes[at + 10] & 7) + 1);
      while (bytes[frame] === 0x21) {
        frame += 2;
        while (bytes[frame] !== 0) frame += bytes[frame] + 1;
        frame++;
      }
      for (const offset of [at + 6, at + 8, frame + 5, frame + 7]) bytes.writeUInt16LE(65_535, offset);
    }),
  'WebP without loss, 16,383 x 16,383': () =>
    withSize('pictures/lossless.webp', Buffer.from('VP8L', 'latin1'), (bytes, at) => {
      const size = bytes.readUInt32LE(at + 9);
      bytes.writeUInt32LE(((size & 0xf0000000) | (16_382 << 14) | 16_382) >>> 0, at + 9);
    }),
  'JPEG 2000, 60,000 x 60,000': () =>
    withSize('field/rgb.j2k', Buffer.from([0xff, 0x51]), (bytes, at) => {
      for (const offset of [6, 10]) bytes.writeUInt32BE(60_000, at + offset);
    }),
  'HEIC, 60,000 x 60,000': () =>
    withSize('pictures/blocks.heic', Buffer.from('ispe', 'latin1'), (bytes, at) => {
      bytes.writeUInt32BE(60_000, at + 8);
      bytes.writeUInt32BE(60_000, at + 12);
    }),
};

/** In a process of its own: what became of one bomb. */
async function tryOne(name) {
  const { readSamples } = await import('../../dist/images/read-samples.js');
  const { readFile } = await import('node:fs/promises');
  const limits = { maxPixels: k_maxPixels, exif: true };
  const read = (bytes) => readSamples({ kind: 'bytes', name: 'bomb', bytes }, limits);
  for (const small of ['rgb8.png', 'blocks.heic', 'l8.tif', 'lossy.webp'])
    await read(await readFile(join(pictures, 'pictures', small)));
  const bytes = bombs[name]();
  const before = process.resourceUsage().maxRSS;
  const from = performance.now();
  const code = await read(bytes).then(
    () => 'read',
    (error) => error.code,
  );
  const ms = performance.now() - from;
  const grownMb = (process.resourceUsage().maxRSS - before) / 1024;
  console.log(JSON.stringify({ name, bytes: bytes.length, code, ms, grownMb }));
  process.exit(0);
}

/** @returns { name, bytes, code, ms, grownMb } of each */
export function tryBombs() {
  return Object.keys(bombs).map((name) => {
    const { stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], {
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(`${name}: ${stderr}`);
    return JSON.parse(stdout);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] !== undefined) await tryOne(process.argv[2]);
  for (const { name, bytes, code, ms, grownMb } of tryBombs())
    console.log(`| ${name} | ${bytes} bytes | ${code} | ${ms.toFixed(1)} ms | ${grownMb.toFixed(1)} MB |`);
}
