/** Outlines of regions as the files of annotation tools: COCO's JSON of many pictures, labelme's of one. */
import type { Corner, RegionOutline } from '../images/region-outlines.js';
import { wrongValue } from '../options/check.js';

/** A picture whose regions were outlined in its own pixels. */
export interface OutlinedPicture {
  /** as the tool finds the file */
  name: string;
  width: number;
  height: number;
  outlines: readonly RegionOutline[];
}

export interface OutlineFileOptions {
  /** of every region; default `anomalous` */
  label?: string;
}

export interface CocoFile {
  images: { id: number; file_name: string; width: number; height: number }[];
  annotations: {
    id: number;
    image_id: number;
    category_id: number;
    /** one polygon, x, y, x, y, ... */
    segmentation: [number[]];
    bbox: [x: number, y: number, width: number, height: number];
    area: number;
    iscrowd: 0;
    /** the map's largest value in the region */
    score: number;
  }[];
  categories: { id: number; name: string }[];
}

export interface LabelmeFile {
  version: string;
  flags: Record<string, never>;
  shapes: {
    label: string;
    points: Corner[];
    group_id: null;
    shape_type: 'polygon';
    flags: Record<string, never>;
  }[];
  imagePath: string;
  imageData: null;
  imageHeight: number;
  imageWidth: number;
}

export const k_label = 'anomalous';
export const k_category = 1;
/** Of labelme, whose form it is. */
const k_labelmeVersion = '5.5.0';

/** All pictures, those without a region too: COCO tells them from pictures that nobody looked at. @throws CraneError E_USAGE */
export function outlinesToCoco(
  pictures: Iterable<OutlinedPicture>,
  options: OutlineFileOptions = {},
): CocoFile {
  const label = labelOf('outlinesToCoco', options);
  if (typeof pictures !== 'object' || pictures === null || !(Symbol.iterator in pictures))
    throw wrongValue('a list of pictures with outlines', 'the pictures', pictures);
  const file: CocoFile = { images: [], annotations: [], categories: [{ id: k_category, name: label }] };
  for (const picture of pictures) {
    checkOutlined(picture);
    const { name, width, height, outlines } = picture;
    const image_id = file.images.length + 1;
    file.images.push({ id: image_id, file_name: name, width, height });
    for (const outline of outlines) {
      const polygon = onePolygon(outline).flat();
      file.annotations.push(cocoAnnotation(file.annotations.length + 1, image_id, outline, polygon));
    }
  }
  return file;
}

/** @param polygon x, y, x, y, ... of all its rings */
export function cocoAnnotation(
  id: number,
  image_id: number,
  { x, y, width, height, area, peak }: Omit<RegionOutline, 'outer' | 'holes'>,
  polygon: number[],
): CocoFile['annotations'][number] {
  return {
    id,
    image_id,
    category_id: k_category,
    segmentation: [polygon],
    bbox: [x, y, width, height],
    area,
    iscrowd: 0,
    score: peak,
  };
}

/** @throws CraneError E_USAGE */
export function outlinesToLabelme(picture: OutlinedPicture, options: OutlineFileOptions = {}): LabelmeFile {
  const label = labelOf('outlinesToLabelme', options);
  checkOutlined(picture);
  const { name, width, height, outlines } = picture;
  return {
    version: k_labelmeVersion,
    flags: {},
    shapes: outlines.map((outline) => ({
      label,
      points: onePolygon(outline),
      group_id: null,
      shape_type: 'polygon',
      flags: {},
    })),
    imagePath: name,
    imageData: null,
    imageHeight: height,
    imageWidth: width,
  };
}

function labelOf(call: string, options: OutlineFileOptions): string {
  if (typeof options !== 'object' || options === null)
    throw wrongValue('an object', `the options of ${call}`, options);
  const { label = k_label } = options;
  if (typeof label !== 'string') throw wrongValue('a string', 'label', label);
  return label;
}

function checkOutlined(picture: OutlinedPicture): void {
  const { name, width, height, outlines } = picture ?? {};
  if (typeof name !== 'string') throw wrongValue('a string', 'name of a picture with outlines', name);
  for (const [side, value] of Object.entries({ width, height }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw wrongValue('a whole number of at least 1', `${side} of ${name}`, value);
  const isOutlined = Array.isArray(outlines) && Array.from(outlines).every(isOutline);
  if (!isOutlined) throw wrongValue('a list of regionOutlines', `outlines of ${name}`, outlines);
}

function isOutline(outline: RegionOutline): boolean {
  return Array.isArray(outline?.outer) && outline.outer.length > 0 && Array.isArray(outline.holes);
}

/**
 * Neither format has holes. A cut to each, gone along there and back, makes one polygon of all rings: it has no area, so that filling the
 * polygon gives the region's pixels and no other.
 */
export function onePolygon({ outer, holes }: RegionOutline): Corner[] {
  const start = outer[0]!;
  const cuts = holes.flatMap((hole) => [...hole, hole[0]!, start]);
  return cuts.length === 0 ? [...outer] : [...outer, start, ...cuts];
}
