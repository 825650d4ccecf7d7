/** Small data sets of a few bytes, with masks, for training. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { writePicture } from '../engine/toy-model.js';

export interface ToySet {
  normal?: number;
  anomalous?: number;
  /** anomalous pictures that have a mask; default: all */
  masks?: number;
  className?: string;
  /** width and height of the masks, where they are wrong */
  maskSize?: [number, number];
  /** first brightness, so that sets differ in content */
  from?: number;
}

/** A meta.json with its pictures of 32 x 24 pixels. @returns its folder */
export async function writeToySet(
  folder: string,
  {
    normal = 3,
    anomalous = 3,
    masks = anomalous,
    className = 'tile',
    maskSize = [32, 24],
    from = 10,
  }: ToySet = {},
): Promise<string> {
  await mkdir(join(folder, 'test'), { recursive: true });
  await mkdir(join(folder, 'masks'), { recursive: true });
  const entries = [];
  for (let at = 0; at < normal + anomalous; at++) {
    const isAnomalous = at >= normal;
    const name = `${isAnomalous ? 'hole' : 'good'}_${at}.png`;
    await writePicture(join(folder, 'test', name), from + 9 * at);
    const hasMask = isAnomalous && at - normal < masks;
    if (hasMask) await writeMask(join(folder, 'masks', name), ...maskSize);
    entries.push({
      img_path: `test/${name}`,
      mask_path: hasMask ? `masks/${name}` : '',
      cls_name: className,
      specie_name: isAnomalous ? 'hole' : 'good',
      anomaly: isAnomalous ? 1 : 0,
    });
  }
  await writeFile(join(folder, 'meta.json'), JSON.stringify({ train: {}, test: { [className]: entries } }));
  return folder;
}

/** Black with a white top left quarter, or so many rows of its left half. */
export async function writeMask(
  path: string,
  width: number,
  height: number,
  rows = Math.ceil(height / 2),
): Promise<void> {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < rows; y++) data.fill(255, y * width, y * width + width / 2);
  await sharp(data, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(path);
}
