/** COCO's JSON: all pictures, categories and annotations in one file. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { CraneError } from '../../errors.js';
import { visible } from '../../terminal/visible.js';
import { type AnnotatedPicture, type Annotations, refuseAnnotations } from './annotated.js';
import type { Shape } from './shapes.js';

const id = z.union([z.number(), z.string()]);
const image = z.object({
  id,
  file_name: z.string().min(1).max(4096),
  width: z.number().int().positive().nullish(),
  height: z.number().int().positive().nullish(),
});
const runs = z.object({
  counts: z.union([z.string(), z.array(z.number())]),
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]),
});
const annotation = z.object({
  image_id: id,
  category_id: id.nullish(),
  segmentation: z.union([z.array(z.array(z.number())), runs]).nullish(),
  bbox: z.array(z.number()).nullish(),
});
const schema = z.object({
  images: z.array(image).max(1_000_000),
  annotations: z.array(annotation).max(10_000_000),
  categories: z.array(z.object({ id, name: z.string().max(255) })).default([]),
});

export function isCoco(value: unknown): boolean {
  const { images, annotations } = (value ?? {}) as { images?: unknown; annotations?: unknown };
  return Array.isArray(images) && Array.isArray(annotations);
}

export function readCoco(value: unknown, file: string): Annotations {
  const checked = schema.safeParse(value);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw refuseAnnotations(file, `${issue?.path.join('.')}: ${issue?.message}`, checked.error);
  }
  const { images, annotations, categories } = checked.data;
  const names = new Map<string | number, string>();
  for (const { id: of, name } of categories) setOnce(names, of, name, `${file}: categories`);
  const pictures = new Map<string | number, AnnotatedPicture>();
  for (const { id: of, file_name, width, height } of images) {
    const size = width && height ? { size: { width, height } } : {};
    const picture = { name: file_name.replaceAll('\\', '/'), isStem: false, ...size, shapes: [] };
    setOnce(pictures, of, picture, `${file}: images`);
  }
  let boxes = 0;
  let lost = 0;
  for (const { image_id, category_id, segmentation, bbox } of annotations) {
    const label = names.get(category_id ?? '') ?? String(category_id ?? 'anomalous');
    const shape = toShape(label, segmentation, bbox);
    const picture = pictures.get(image_id);
    if (shape === undefined || picture === undefined) {
      lost++;
      if (picture) picture.undrawn = (picture.undrawn ?? 0) + 1;
    } else {
      if (!segmentation || (Array.isArray(segmentation) && segmentation.length === 0)) boxes++;
      picture.shapes.push(shape);
    }
  }
  return {
    format: 'COCO',
    pictures: [...pictures.values()],
    othersAreNormal: false,
    warnings: [
      ...(boxes > 0
        ? [`${file}: ${boxes} annotations are boxes without an outline: all of the box is marked`]
        : []),
      ...(lost > 0 ? [`${file}: ${lost} annotations have no area, or no picture`] : []),
    ],
  };
}

/** What stands there twice alike is one; what does not makes a guess of every annotation that names it. */
function setOnce<T>(map: Map<string | number, T>, of: string | number, value: T, where: string): void {
  const known = map.get(of);
  if (known !== undefined && !isDeepStrictEqual(known, value))
    throw new CraneError(
      'E_DATA_ANNOTATIONS',
      `${where}: the id ${visible(String(of))} stands for two that differ`,
      {
        hint: 'give each its own id: files that were put together by hand often number twice from 1',
      },
    );
  map.set(of, value);
}

function toShape(
  label: string,
  segmentation: z.infer<typeof annotation>['segmentation'],
  bbox: number[] | null | undefined,
): Shape | undefined {
  if (segmentation && !Array.isArray(segmentation)) {
    const [height, width] = segmentation.size;
    return { label, kind: 'runs', counts: segmentation.counts, width, height };
  }
  if (segmentation && segmentation.length > 0) {
    // Pairs of coordinates, three points at least: what is none has no area, and an odd number is none of pairs.
    const rings = segmentation.filter((ring) => ring.length >= 6 && ring.length % 2 === 0);
    return rings.length === 0 ? undefined : { label, kind: 'polygon', rings };
  }
  if (bbox?.length !== 4) return undefined;
  const [left, top, width, height] = bbox as [number, number, number, number];
  const [right, bottom] = [left + width, top + height];
  return { label, kind: 'polygon', rings: [[left, top, right, top, right, bottom, left, bottom]] };
}
