/** preprocess/: decoding, resizing and normalising as the reference's picture library does, to the last bit. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import type { Area, Workshop } from '../area.js';
import { compareBits } from '../compare/compare.js';
import { decodeFile } from '../models/decode.js';
import { openaiMean, openaiStd } from '../models/settings.js';
import { normalise } from '../models/toy-images.js';
import type { CaseReport } from '../report/case-report.js';

interface ImageCase {
  file: string;
  note: string;
  mode_at_open: string;
  size_wh: [number, number];
  expected: string;
  decoded?: string;
  decoded_uint8_sum_per_channel?: number[];
  uint8_min_max: [number, number];
  uint8_sum_per_channel: number[];
  uint8_sha256_rgb_hwc: string;
  tensor_shape: number[];
  tensor_sum_float64: number[];
  tensor_abs_sum_float64: number;
  tensor_first3: number[];
  tensor_sha256_float32_le: string;
}

interface MaskCase {
  file: string;
  mode: string;
  size_wh: [number, number];
  expected: string;
  expected_ones: number;
  expected_size: [number, number];
}

interface PreprocessCases {
  image_size: number;
  images: ImageCase[];
  masks: MaskCase[];
}

export const preprocess: Area = {
  name: 'preprocess',
  async run(workshop) {
    const { folder, report } = workshop;
    if (!folder.has('preprocess/cases.json')) return;
    const { images, masks, image_size } = folder.json<PreprocessCases>('preprocess/cases.json');
    for (const image of images ?? []) {
      const name = `preprocess/${image.file}`;
      if (!folder.has(name)) report.line(`${name}: in cases.json, but this folder holds no such file`);
      else
        await report.case(name, { subtitle: image.note }, (caseReport) =>
          checkImage(workshop, image, image_size, caseReport),
        );
    }
    for (const mask of masks ?? []) {
      const name = `preprocess/${mask.file}`;
      if (!folder.has(name)) report.line(`${name}: in cases.json, but this folder holds no such file`);
      else
        await report.case(name, { subtitle: 'mask' }, (caseReport) => checkMask(workshop, mask, caseReport));
    }
  },
};

async function checkImage(
  { folder, addon }: Workshop,
  image: ImageCase,
  side: number,
  report: CaseReport,
): Promise<void> {
  const picture = await decodeFile(folder.claim(`preprocess/${image.file}`));
  const [width, height] = image.size_wh;
  report.holds(
    'size',
    'decoding',
    2,
    picture.width === width && picture.height === height,
    `${picture.width} x ${picture.height}`,
  );
  report.holds(
    'mode',
    'decoding',
    1,
    picture.mode === image.mode_at_open,
    `${picture.mode}, expected ${image.mode_at_open}`,
  );
  if (image.decoded_uint8_sum_per_channel) {
    const sums = channelSums(picture.data);
    report.holds(
      'decoded sums',
      'decoding',
      picture.data.length,
      equalLists(sums, image.decoded_uint8_sum_per_channel),
      `${sums}`,
    );
  }
  if (image.decoded && folder.has(`preprocess/${image.decoded}`)) {
    const expected = await rgbPixels(folder.claim(`preprocess/${image.decoded}`));
    report.compared('decoded pixels', 'decoding', compareBits(expected, picture.data));
  }

  const rgb = await addon.resizePicture(picture, side, side);
  report.holds(
    'sums of the resized picture',
    'resizing',
    3,
    equalLists(channelSums(rgb), image.uint8_sum_per_channel),
  );
  let [low, high] = [255, 0];
  for (const value of rgb) [low, high] = [Math.min(low, value), Math.max(high, value)];
  report.holds('range of the resized picture', 'resizing', 2, equalLists([low, high], image.uint8_min_max));
  report.holds(
    'sha256 of the resized picture',
    'resizing',
    rgb.length,
    sha256(rgb) === image.uint8_sha256_rgb_hwc,
  );
  if (folder.has(`preprocess/${image.expected}`)) {
    const expected = await rgbPixels(folder.claim(`preprocess/${image.expected}`));
    report.compared('pixels', 'resizing', compareBits(expected, rgb));
  }
  const ours = normalise(rgb, side, side);
  checkTensor(ours, image, report);
  const engines = await addon.normalise(rgb, side, side, openaiMean, openaiStd);
  report.compared("the engine's normalise", 'normalised picture', compareBits(ours, engines));
}

function checkTensor(tensor: Float32Array, image: ImageCase, report: CaseReport): void {
  const stage = 'normalised picture';
  const plane = tensor.length / 3;
  const sums = [0, 1, 2].map((channel) => total(tensor.subarray(channel * plane, (channel + 1) * plane)));
  const magnitude = total(tensor.map(Math.abs));
  const close = (got: number, want: number) => Math.abs(got - want) <= 1e-12 * magnitude;
  report.holds(
    'sums of the float tensor',
    stage,
    4,
    sums.every((sum, i) => close(sum, image.tensor_sum_float64[i]!)) &&
      close(magnitude, image.tensor_abs_sum_float64),
  );
  report.holds(
    'first values of the float tensor',
    stage,
    image.tensor_first3.length,
    image.tensor_first3.every((value, i) => tensor[i] === value),
  );
  const bytes = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength);
  report.holds(
    'sha256 of the float tensor',
    stage,
    tensor.length,
    sha256(bytes) === image.tensor_sha256_float32_le,
  );
  report.holds(
    'shape of the float tensor',
    stage,
    3,
    tensor.length === image.tensor_shape.reduce((a, b) => a * b, 1),
  );
}

async function checkMask({ folder, addon }: Workshop, mask: MaskCase, report: CaseReport): Promise<void> {
  const stage = 'masks';
  const picture = await decodeFile(folder.claim(`preprocess/${mask.file}`));
  const [width, height] = mask.size_wh;
  report.holds('size', 'decoding', 2, picture.width === width && picture.height === height);
  report.holds('mode', 'decoding', 1, picture.mode === mask.mode, `${picture.mode}, expected ${mask.mode}`);
  const [toWidth, toHeight] = mask.expected_size;
  const resized = await addon.resizeMask(picture, toWidth, toHeight);
  const ones = resized.reduce((count, value) => count + value, 0);
  report.holds(
    'anomalous pixels',
    stage,
    1,
    ones === mask.expected_ones,
    `${ones}, expected ${mask.expected_ones}`,
  );
  if (folder.has(`preprocess/${mask.expected}`)) {
    const expected = await onePlane(folder.claim(`preprocess/${mask.expected}`));
    report.compared(
      'pixels',
      stage,
      compareBits(
        expected.map((value) => (value > 0 ? 1 : 0)),
        resized,
      ),
    );
  }
  report.notCompared(
    'resized_uint8_sum, resized_uint8_count_126_127_128_129',
    'the engine returns the mask after its threshold',
  );
}

/** Expected PNGs are read without colour management; a grey one stands for three equal channels. */
async function rgbPixels(path: string): Promise<Uint8Array> {
  const { data, info } = await sharp(readFileSync(path), { ignoreIcc: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels === 3) return data;
  if (info.channels !== 1) throw new Error(`${path}: ${info.channels} channels`);
  return Uint8Array.from({ length: data.length * 3 }, (_, i) => data[Math.floor(i / 3)]!);
}

async function onePlane(path: string): Promise<Uint8Array> {
  const { data, info } = await sharp(readFileSync(path), { ignoreIcc: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Uint8Array.from({ length: data.length / info.channels }, (_, i) => data[i * info.channels]!);
}

function channelSums(data: ArrayLike<number>): number[] {
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i++) sums[i % 3]! += data[i]!;
  return sums;
}

function total(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function equalLists(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
