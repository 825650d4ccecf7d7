/** Severstal's table: a row for each picture and class of defect, its pixels as runs. */
import type { Table } from '../table.js';
import { type AnnotatedPicture, type Annotations, refuseAnnotations } from './annotated.js';

export function isSeverstal({ columns }: Table): boolean {
  return columns.includes('EncodedPixels');
}

/** Of the two forms: ImageId, ClassId, EncodedPixels, and ImageId_ClassId, EncodedPixels. */
export function readSeverstal({ columns, rows }: Table, file: string): Annotations {
  const column = (name: string) => columns.indexOf(name);
  const [image, classId, both, pixels] = [
    column('ImageId'),
    column('ClassId'),
    column('ImageId_ClassId'),
    column('EncodedPixels'),
  ];
  if (image! < 0 && both! < 0) throw refuseAnnotations(file, 'expected a column ImageId or ImageId_ClassId');
  const pictures = new Map<string, AnnotatedPicture>();
  for (const [index, cells] of rows.entries()) {
    const [name, label] =
      both! >= 0
        ? [cells[both!]?.replace(/_[^_]*$/, ''), /_([^_]*)$/.exec(cells[both!] ?? '')?.[1]]
        : [cells[image!], cells[classId!]];
    if (!name) throw refuseAnnotations(file, `row ${index + 2} names no picture`);
    const picture = pictures.get(name) ?? { name, isStem: false, shapes: [] };
    pictures.set(name, picture);
    const text = cells[pixels!]?.trim() ?? '';
    if (text === '' || text === '-1') continue;
    const pairs = text.split(/\s+/).map(Number);
    picture.shapes.push({ label: `class ${label ?? '1'}`, kind: 'pairs', pairs });
  }
  return { format: 'Severstal', pictures: [...pictures.values()], othersAreNormal: true, warnings: [] };
}
