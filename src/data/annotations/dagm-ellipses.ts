/** labels.txt of DAGM 2007: number of the picture, half axes, angle, centre. */
import type { AnnotatedPicture } from './annotated.js';
import { ellipse } from './labelme.js';

const k_line = /^\s*\d+(\.(png|PNG))?(\s+-?[\d.]+(e[+-]?\d+)?){5}\s*$/i;

/** Pixels: a line of YOLO with a confidence looks alike, but shares of the sides end at 1, or a little beyond. */
const k_least = 2;

export function isDagmEllipses(text: string): boolean {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => k_line.test(line) && isInPixels(line));
}

function isInPixels(line: string): boolean {
  const [, ...values] = line.trim().split(/\s+/).map(Number);
  return values.some((value) => value > k_least);
}

export function readDagmEllipses(text: string): AnnotatedPicture[] {
  const byPicture = new Map<string, AnnotatedPicture>();
  for (const line of text.split(/\r?\n/)) {
    const [name, ...values] = line.trim().split(/\s+/);
    if (!name) continue;
    const [major, minor, angle, x, y] = values.map(Number) as [number, number, number, number, number];
    const stem = name.replace(/\.png$/i, '');
    const picture = byPicture.get(stem) ?? { name: stem, isStem: true, shapes: [] };
    byPicture.set(stem, picture);
    picture.shapes.push({ label: 'defect', kind: 'polygon', rings: [ellipse(x, y, major, minor, angle)] });
  }
  return [...byPicture.values()];
}
