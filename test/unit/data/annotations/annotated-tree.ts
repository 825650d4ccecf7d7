/** Pictures and files of annotations in a folder of its own for each test, and what is drawn on their masks. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import { indexAnnotated } from '../../../../src/data/index-annotated.js';
import { labelMask } from '../../../../src/data/label-mask.js';
import { greyPng, makeRoot } from '../tree.js';

/** The folder of the test that runs. */
export let root: string;

/** Makes the folder before each test of a file, and takes it away after it. */
export function rootOfEachTest(): void {
  beforeEach(async () => {
    root = await makeRoot();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(root, { recursive: true, force: true });
  });
}

export const [width, height] = [20, 16];
export const picture = () => greyPng(90, width, height);

export const index = (at: string, more = {}) =>
  indexAnnotated(root, join(root, at), { layout: 'auto', overwrite: false, ...more });

/** Anomalous pixels of a mask, and the box around them. */
export async function marked(path: string) {
  const { data } = await labelMask(join(root, path));
  const at = [...data.keys()].filter((pixel) => data[pixel]! > 0);
  const xs = at.map((pixel) => pixel % width);
  const ys = at.map((pixel) => Math.floor(pixel / width));
  return [at.length, Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

export const labelme = (shapes: object[], more = {}) =>
  JSON.stringify({
    version: '5',
    shapes,
    imagePath: '1.png',
    imageHeight: height,
    imageWidth: width,
    ...more,
  });

export const square = (left: number, top: number, side: number) => [
  [left, top],
  [left + side, top],
  [left + side, top + side],
  [left, top + side],
];

/** A square of 4 x 4 at (2, 4), as YOLO writes it. */
export const outline = '0 0.1 0.25 0.3 0.25 0.3 0.5 0.1 0.5\n';
