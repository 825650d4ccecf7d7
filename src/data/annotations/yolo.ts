/** YOLO's text files: one for each picture, a line for each object: its class, then an outline or a box as shares of the sides. */
import { type AnnotatedPicture, refuseAnnotations } from './annotated.js';
import type { Shape } from './shapes.js';

const k_line = /^\s*\d+(\s+-?[\d.]+(e-?\d+)?){4,}\s*$/i;

/** Whether a text can be one of them: an empty one says that nothing was found. */
export function isYolo(text: string): boolean {
  return text.split(/\r?\n/).every((line) => line.trim() === '' || k_line.test(line));
}

/** @param names of the classes, by their number */
export function readYolo(
  text: string,
  file: string,
  stem: string,
  names: readonly string[],
): { picture: AnnotatedPicture; boxes: number } {
  let boxes = 0;
  const shapes = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line): Shape => {
      const [number, ...values] = line.trim().split(/\s+/).map(Number);
      const label = names[number!] ?? `class ${number}`;
      // Five values are a box with its confidence.
      if (values.length === 4 || values.length === 5) {
        boxes++;
        const [x, y, width, height] = values as [number, number, number, number];
        const [left, top, right, bottom] = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
        return {
          label,
          kind: 'relative-polygon',
          ring: [left, top, right, top, right, bottom, left, bottom],
        };
      }
      if (values.length % 2 !== 0 || values.length < 6 || values.some((value) => !Number.isFinite(value)))
        throw refuseAnnotations(
          file,
          `a line of ${values.length} values, expected a box of 4 or an outline of pairs`,
        );
      return { label, kind: 'relative-polygon', ring: values };
    });
  return { picture: { name: stem, isStem: true, shapes }, boxes };
}

/** From data.yaml (`names: [pit, dent]`, or a line `0: pit` or `- pit` each) or classes.txt. */
export function classNames(text: string, isYaml: boolean): string[] {
  if (!isYaml) return text.split(/\r?\n/).map((line) => line.trim());
  const opened = /^names:\s*\[/m.exec(text);
  // Sought once: where the first list has no end, no other has one.
  const [from, to] = opened ? [opened.index + opened[0].length, text.indexOf(']', opened.index)] : [0, -1];
  if (to >= 0) return text.slice(from, to).split(',').map(unquoted);
  const lines = /^names:\s*\r?\n((?:[ \t]*(?:-|\d+:)[^\n]*\r?\n?)+)/m.exec(text)?.[1] ?? '';
  const names: string[] = [];
  for (const line of lines.split(/\r?\n/)) {
    const match = /^[ \t]*(?:-|(\d+):)\s*(.*)$/.exec(line);
    if (match) names[match[1] === undefined ? names.length : Number(match[1])] = unquoted(match[2] ?? '');
  }
  return names;
}

function unquoted(text: string): string {
  return text.trim().replace(/^(['"])(.*)\1$/, '$2');
}
