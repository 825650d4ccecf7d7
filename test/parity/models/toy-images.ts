/** The pictures of inputs.safetensors, by the names that cases.json uses, and their normalised form. */
import type { NativePicture } from '#crane/addon/native.js';
import type { SafetensorsFile } from '../fixture/safetensors.js';
import { openaiMean, openaiStd } from './settings.js';

export interface Batch {
  /** [batch, 3, height, width] */
  input: Float32Array;
  shape: { batch: number; height: number; width: number };
  pictures: NativePicture[];
}

/** Names: a number K is images_u8_<image size>[K]; "N px image K"; "archive image". */
export function imageTensor(name: number | string, imageSize: number): { key: string; index: number } {
  if (typeof name === 'number') return { key: `images_u8_${imageSize}`, index: name };
  const sized = /^(\d+) px image (\d+)$/.exec(name);
  if (sized) return { key: `images_u8_${sized[1]}`, index: Number(sized[2]) };
  if (name === 'archive image') return { key: `archive_image_u8_${imageSize}`, index: 0 };
  throw new Error(`cases.json: unknown image name "${name}"`);
}

export function readPicture(
  inputs: SafetensorsFile,
  name: number | string,
  imageSize: number,
): NativePicture {
  const { key, index } = imageTensor(name, imageSize);
  const { shape, data } = inputs.read(key);
  const [count, height, width, channels] = shape as [number, number, number, number];
  if (channels !== 3 || index >= count)
    throw new Error(`inputs.safetensors: ${key} [${shape}] holds no RGB image ${index}`);
  const bytes = height * width * 3;
  return {
    data: Uint8Array.from(data.subarray(index * bytes, (index + 1) * bytes)),
    width,
    height,
    mode: 'RGB',
  };
}

export function readBatch(inputs: SafetensorsFile, names: (number | string)[], imageSize: number): Batch {
  const pictures = names.map((name) => readPicture(inputs, name, imageSize));
  const { width, height } = pictures[0]!;
  const wrong = pictures.find((picture) => picture.width !== imageSize || picture.height !== imageSize);
  if (wrong)
    throw new Error(
      `a picture of ${wrong.width} x ${wrong.height} where the case says image_size ${imageSize}`,
    );
  const input = new Float32Array(pictures.length * 3 * height * width);
  for (const [i, picture] of pictures.entries()) {
    input.set(normalise(picture.data, width, height), i * 3 * height * width);
  }
  return { input, shape: { batch: pictures.length, height, width }, pictures };
}

export function singleOf(batch: Batch, index: number): Batch {
  const { height, width } = batch.shape;
  const size = 3 * height * width;
  return {
    input: batch.input.slice(index * size, (index + 1) * size),
    shape: { batch: 1, height, width },
    pictures: [batch.pictures[index]!],
  };
}

/** [height, width, 3] bytes to [3, height, width]: (u8 / 255 - mean) / std, each step rounded to float32. */
export function normalise(rgb: ArrayLike<number>, width: number, height: number): Float32Array {
  const { fround } = Math;
  const pixels = width * height;
  const planes = new Float32Array(3 * pixels);
  for (let channel = 0; channel < 3; channel++) {
    const mean = fround(openaiMean[channel]!);
    const std = fround(openaiStd[channel]!);
    for (let p = 0; p < pixels; p++) {
      const unit = fround(rgb[p * 3 + channel]! / 255);
      planes[channel * pixels + p] = fround(fround(unit - mean) / std);
    }
  }
  return planes;
}
