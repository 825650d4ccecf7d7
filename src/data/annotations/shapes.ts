/** What a person or a program drew on a picture, and how it becomes pixels. */
import { setImmediate } from 'node:timers/promises';
import { defaultOf } from '../../options/table.js';
import { visible } from '../../terminal/visible.js';
import { type Bitmap, drawBitmap } from './bitmap.js';
import type { DrawnMask } from './drawn-mask.js';
import { PolygonPen } from './polygon.js';
import { decodeCounts, decodeRunText, fillRuns, runsOfPairs } from './rle.js';

/** Coordinates in pixels, (0, 0) is the upper left corner of the upper left pixel. */
export type Shape = { label: string } & (
  | /** x, y, x, y, ... of each ring; rings are united */ {
      kind: 'polygon';
      rings: readonly (readonly number[])[];
    }
  | /** the same, as shares of the picture's width and height */ {
      kind: 'relative-polygon';
      ring: readonly number[];
    }
  | /** COCO: column by column, first what is not marked */ {
      kind: 'runs';
      counts: string | readonly number[];
      width: number;
      height: number;
    }
  | /** Severstal: column by column, pairs of first pixel (from 1) and length */ {
      kind: 'pairs';
      pairs: readonly number[];
    }
  | ({ kind: 'bitmap' } & Bitmap)
);

/**
 * @param maxPixels of a bitmap among them
 * @throws Error with a sentence about the shape that does not fit; CraneError E_IMAGE_*, E_MEMORY about a bitmap
 */
export async function drawShapes(
  shapes: readonly Shape[],
  width: number,
  height: number,
  maxPixels = defaultOf('maxPixels'),
): Promise<DrawnMask> {
  const mask = { data: new Uint8Array(width * height), width, height };
  const pen = new PolygonPen(mask);
  for (const shape of shapes)
    if (shape.kind === 'bitmap')
      await drawBitmap(`the mask of ${visible(shape.label)}`, shape, mask, maxPixels);
    else {
      await drawShape(shape, mask, pen);
      // Runs mark as many pixels as they say.
      if (shape.kind === 'runs' || shape.kind === 'pairs') await setImmediate();
    }
  return mask;
}

async function drawShape(
  shape: Exclude<Shape, { kind: 'bitmap' }>,
  mask: DrawnMask,
  pen: PolygonPen,
): Promise<void> {
  const { width, height } = mask;
  if (shape.kind === 'polygon') {
    for (const ring of shape.rings) await pen.draw(ring);
  } else if (shape.kind === 'relative-polygon') {
    await pen.draw(shape.ring.map((share, at) => share * (at % 2 === 0 ? width : height)));
  } else if (shape.kind === 'runs') {
    if (shape.width !== width || shape.height !== height)
      throw new Error(
        `runs of a picture of ${shape.width} x ${shape.height}, this one is ${width} x ${height}`,
      );
    fillRuns(
      typeof shape.counts === 'string' ? decodeRunText(shape.counts) : decodeCounts(shape.counts),
      mask,
    );
  } else fillRuns(runsOfPairs(shape.pairs, width * height), mask);
}
