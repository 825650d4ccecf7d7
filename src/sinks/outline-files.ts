/** Outlines of regions as the files of annotation tools: COCO's JSON of many pictures, labelme's of one. */
import type { Corner, RegionOutline } from '../images/region-outlines.js';

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

/** All pictures, those without a region too: COCO tells them from pictures that nobody looked at. */
export function outlinesToCoco(
  pictures: Iterable<OutlinedPicture>,
  { label = k_label }: OutlineFileOptions = {},
): CocoFile {
  const file: CocoFile = { images: [], annotations: [], categories: [{ id: k_category, name: label }] };
  for (const { name, width, height, outlines } of pictures) {
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

export function outlinesToLabelme(
  { name, width, height, outlines }: OutlinedPicture,
  { label = k_label }: OutlineFileOptions = {},
): LabelmeFile {
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

/**
 * Neither format has holes. A cut to each, gone along there and back, makes one polygon of all rings: it has no area, so that filling the
 * polygon gives the region's pixels and no other.
 */
export function onePolygon({ outer, holes }: RegionOutline): Corner[] {
  const start = outer[0]!;
  const cuts = holes.flatMap((hole) => [...hole, hole[0]!, start]);
  return cuts.length === 0 ? [...outer] : [...outer, start, ...cuts];
}
