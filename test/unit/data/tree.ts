/** Small data sets in a temporary folder. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { checkDataSet } from '../../../src/data/check/check-data-set.js';

/** Spaces and letters beyond ASCII belong to the paths of every test. */
export function makeRoot(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'crane däta '));
}

/** Files by path: text or bytes as they are, nothing for an empty file. */
export async function makeTree(root: string, files: readonly string[] | Record<string, string | Uint8Array>) {
  const contents = Array.isArray(files)
    ? files.map((path: string) => [path, ''] as const)
    : Object.entries(files as Record<string, string | Uint8Array>);
  for (const [path, content] of contents) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

/** PNG bytes of one grey, but for its last row where it is none of a mask; `mark` sets the upper left pixels to another one. */
export function greyPng(value: number, width = 16, height = 12, mark?: { value: number; pixels: number }) {
  const data = Buffer.alloc(width * height, value);
  if (value > 0 && value < 255) data.fill(value < 128 ? value + 8 : value - 8, width * (height - 1));
  if (mark) data.fill(mark.value, 0, mark.pixels);
  return sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

export function metaOf(test: Record<string, unknown[]>): string {
  return JSON.stringify({ train: {}, test });
}

/** What `data check` finds in a folder. */
export function checkFolder(root: string) {
  return checkDataSet(root, {
    layout: 'auto',
    maxPixels: 1e6,
    stop: new AbortController().signal,
    onCount: () => {},
    onPicture: () => {},
  });
}
