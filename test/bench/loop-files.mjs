// Pictures of one size in the formats that are told apart while reading, for event-loop.mjs.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const k_types = { short: 3, long: 4 };

/** One strip, as stored. */
function tiff(
  width,
  height,
  { bits, samples = 1, photometric = samples > 1 ? 2 : 1, format, software },
  pixels,
) {
  const text = software ? Buffer.from(`${software}\0`) : Buffer.alloc(0);
  const depths = Buffer.from(Uint16Array.from({ length: samples }, () => bits).buffer);
  const pixelsAt = 8;
  const textAt = pixelsAt + pixels.byteLength;
  const depthsAt = textAt + text.length;
  const at = depthsAt + depths.length;
  const fields = [
    [256, k_types.long, 1, width],
    [257, k_types.long, 1, height],
    [258, k_types.short, samples, samples > 2 ? depthsAt : bits],
    [259, k_types.short, 1, 1],
    [262, k_types.short, 1, photometric],
    [273, k_types.long, 1, pixelsAt],
    [277, k_types.short, 1, samples],
    [278, k_types.long, 1, height],
    [279, k_types.long, 1, pixels.byteLength],
    ...(software ? [[305, 2, text.length, textAt]] : []),
    ...(samples > 3 ? [[338, k_types.short, 1, 0]] : []),
    ...(format ? [[339, k_types.short, 1, format]] : []),
  ];
  const directory = Buffer.alloc(2 + fields.length * 12 + 4);
  directory.writeUInt16LE(fields.length);
  fields.forEach(([tag, type, count, value], index) => {
    const entry = 2 + index * 12;
    directory.writeUInt16LE(tag, entry);
    directory.writeUInt16LE(type, entry + 2);
    directory.writeUInt32LE(count, entry + 4);
    directory.writeUInt32LE(value, entry + 8);
  });
  const head = Buffer.from('II*\0\0\0\0\0');
  head.writeUInt32LE(at, 4);
  return Buffer.concat([
    head,
    Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength),
    text,
    depths,
    directory,
  ]);
}

function bmp(width, height, rgb) {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + stride * height);
  bytes.write('BM');
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++)
    bytes.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), 54 + y * stride);
  return bytes;
}

function swapped(words) {
  return Buffer.from(Buffer.from(words.buffer, words.byteOffset, words.byteLength)).swap16();
}

/** Of JPEG 2000, where the optional package is installed. */
async function jpeg2000(width, height, rgb) {
  const { default: load } = await import('@cornerstonejs/codec-openjpeg');
  const { J2KEncoder } = await load();
  const encoder = new J2KEncoder();
  const frame = {
    width,
    height,
    bitsPerSample: 8,
    componentCount: 3,
    isSigned: false,
    isUsingColorTransform: true,
  };
  encoder.getDecodedBuffer(frame).set(rgb);
  encoder.encode();
  return Buffer.from(encoder.getEncodedBuffer());
}

/**
 * @param rgb [height, width, 3]
 * @returns paths by what is in them
 */
export async function writeFormats(folder, rgb, width, height) {
  const words = Uint16Array.from(rgb, (value) => value * 257);
  const grey = words.subarray(0, width * height);
  const four = new Uint16Array(width * height * 4).fill(300);
  const bits = new Uint8Array(Math.ceil(width / 8) * height).fill(0x5a);
  const wide = { raw: { width, height, channels: 3 } };
  const made = {
    'a TIFF of 8 bits': tiff(width, height, { bits: 8, samples: 3 }, rgb),
    'a TIFF of 16 bits': tiff(width, height, { bits: 16, samples: 3 }, words),
    'a TIFF of 16 bits and four bands': tiff(width, height, { bits: 16, samples: 4 }, four),
    'a TIFF of 1 bit': tiff(width, height, { bits: 1, photometric: 0, software: 'tifffile.py' }, bits),
    'a BMP': bmp(width, height, rgb),
    'a PPM of 8 bits': Buffer.concat([Buffer.from(`P6 ${width} ${height} 255\n`), rgb]),
    'a PPM of 16 bits': Buffer.concat([Buffer.from(`P6 ${width} ${height} 65535\n`), swapped(words)]),
    'a PNG of 16 bits': await sharp(words, wide)
      .toColourspace('rgb16')
      .png({ compressionLevel: 1 })
      .toBuffer(),
    'a PNG of 16 bits, grey': await sharp(grey, { raw: { width, height, channels: 1 } })
      .toColourspace('grey16')
      .png({ compressionLevel: 1 })
      .toBuffer(),
  };
  const encoded = await jpeg2000(width, height, rgb).catch(() => undefined);
  if (encoded) made['JPEG 2000'] = encoded;
  const paths = {};
  for (const [kind, bytes] of Object.entries(made)) {
    paths[kind] = join(folder, `${Object.keys(paths).length}`);
    await writeFile(paths[kind], bytes);
  }
  return paths;
}

/** A map as `score --maps npy` writes it. */
export function npyOf(values, width, height) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  const header = Buffer.alloc(Math.ceil((10 + text.length + 1) / 64) * 64, ' ');
  header.set([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  header.writeUInt16LE(header.length - 10, 8);
  header.write(text, 10);
  header[header.length - 1] = 10;
  return Buffer.concat([header, Buffer.from(values.buffer)]);
}
