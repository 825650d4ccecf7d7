/** labelme's JSON: one file for each picture, mostly beside it. */
import { z } from 'zod';
import { sniffFormat } from '../../images/format.js';
import { visible } from '../../terminal/visible.js';
import { type AnnotatedPicture, refuseAnnotations } from './annotated.js';
import type { Shape } from './shapes.js';

const point = z.tuple([z.number(), z.number()]);
const shapeSchema = z.object({
  label: z.string().max(255),
  points: z.array(point).max(100_000),
  shape_type: z.string().max(40).nullish(),
  mask: z.string().nullish(),
});
const schema = z.object({
  shapes: z.array(shapeSchema).max(100_000),
  imagePath: z.string().max(4096).nullish(),
  imageHeight: z.number().int().positive().nullish(),
  imageWidth: z.number().int().positive().nullish(),
});

/** Shapes whose points are their corners; the last is a turned box of X-AnyLabeling. */
const k_outlines = new Set(['polygon', 'rectangle', 'oriented_rectangle', 'rotation']);
/** Corners that stand for a circle: with fewer its edge would be seen. */
const k_corners = 256;

export function isLabelme(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Array.isArray((value as { shapes?: unknown }).shapes);
}

/** @param stem of the file itself, which names the picture where the file does not */
export function readLabelme(
  value: unknown,
  file: string,
  stem: string,
): { picture: AnnotatedPicture; warnings: string[] } {
  const checked = schema.safeParse(value);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw refuseAnnotations(file, `${issue?.path.join('.')}: ${issue?.message}`, checked.error);
  }
  const { shapes, imagePath, imageWidth, imageHeight } = checked.data;
  const drawn: Shape[] = [];
  const without: string[] = [];
  for (const shape of shapes) {
    const made = toShape(shape, file);
    if (made === undefined) without.push(shape.shape_type ?? 'polygon');
    else drawn.push(made);
  }
  return {
    picture: {
      name: imagePath ? imagePath.replaceAll('\\', '/') : stem,
      isStem: !imagePath,
      ...(imageWidth && imageHeight ? { size: { width: imageWidth, height: imageHeight } } : {}),
      shapes: drawn,
      ...(without.length > 0 ? { undrawn: without.length } : {}),
    },
    warnings:
      without.length === 0
        ? []
        : [
            `${file}: ${without.length} shapes have no area and are not drawn (${[...new Set(without)].join(', ')})`,
          ],
  };
}

function toShape(
  { label, points, shape_type, mask }: z.infer<typeof shapeSchema>,
  file: string,
): Shape | undefined {
  const [first, second] = points;
  if (shape_type === 'mask' && mask && first) {
    const png = Buffer.from(mask, 'base64');
    if (sniffFormat(png) !== 'png')
      throw refuseAnnotations(file, `the mask of ${visible(label)} is no PNG, as labelme writes it`);
    return { label, kind: 'bitmap', png, x: Math.trunc(first[0]), y: Math.trunc(first[1]) };
  }
  // Two opposite corners; X-AnyLabeling writes all four.
  if (shape_type === 'rectangle' && first && second && points.length === 2) {
    const [[left, top], [right, bottom]] = [first, second];
    return { label, kind: 'polygon', rings: [[left, top, right, top, right, bottom, left, bottom]] };
  }
  if (shape_type === 'circle' && first && second) {
    const radius = Math.hypot(second[0] - first[0], second[1] - first[1]);
    return { label, kind: 'polygon', rings: [ellipse(first[0], first[1], radius, radius, 0)] };
  }
  const isArea = k_outlines.has(shape_type ?? 'polygon') && points.length >= 3;
  return isArea ? { label, kind: 'polygon', rings: [points.flat()] } : undefined;
}

/** @param angle in radians, of the first half axis to the right */
export function ellipse(x: number, y: number, first: number, second: number, angle: number): number[] {
  return Array.from({ length: k_corners }, (_, at) => {
    const turn = (2 * Math.PI * at) / k_corners;
    const [a, b] = [first * Math.cos(turn), second * Math.sin(turn)];
    return [x + a * Math.cos(angle) - b * Math.sin(angle), y + a * Math.sin(angle) + b * Math.cos(angle)];
  }).flat();
}
