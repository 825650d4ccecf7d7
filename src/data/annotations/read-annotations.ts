/** Reads a file or a folder of annotations, whichever of the known formats it is. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { CraneError } from '../../errors.js';
import { codedReadError } from '../../files/open-file.js';
import { decodeText } from '../../files/text.js';
import { stemOf } from '../../scan/mask-names.js';
import { eachBounded } from '../each-bounded.js';
import { PictureTree } from '../layouts/picture-tree.js';
import { readTable } from '../table.js';
import { type AnnotatedPicture, type Annotations, refuseAnnotations } from './annotated.js';
import { isCoco, readCoco } from './coco.js';
import { isDagmEllipses, readDagmEllipses } from './dagm-ellipses.js';
import { isLabelme, readLabelme } from './labelme.js';
import { isSeverstal, readSeverstal } from './severstal.js';
import { classNames, isYolo, readYolo } from './yolo.js';

const k_maxBytes = 512 * 2 ** 20;
const k_maxFiles = 1_000_000;
const k_deepest = 12;
const k_atOnce = 4;

/** With the names of pictures as paths below `path`, or below its folder when it is a file. */
export async function readAnnotations(path: string): Promise<Annotations & { folder: string }> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw codedReadError(path, cause);
  });
  const folder = facts.isDirectory() ? path : join(path, '..');
  const files = facts.isDirectory() ? await filesBelow(new PictureTree(path), '') : [basename(path)];
  // Files of labelme often hold their whole picture too.
  const read = await eachBounded(files, k_atOnce, (file) => readOne(folder, file, !facts.isDirectory()));
  const found = read.filter((one) => one !== undefined);
  const formats = [...new Set(found.map(({ format }) => format))];
  if (formats.length === 0) throw refuseAnnotations(path, 'no annotations of a known format');
  if (formats.length > 1)
    throw refuseAnnotations(path, `annotations of several formats: ${formats.join(', ')}`);
  if (formats[0] === 'YOLO') return { folder, ...(await readYoloFiles(folder, files)) };
  return {
    folder,
    format: formats[0]!,
    pictures: found.flatMap(({ pictures }) => pictures),
    othersAreNormal: found.some(({ othersAreNormal }) => othersAreNormal),
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}

async function filesBelow(tree: PictureTree, folder: string, deepest = k_deepest): Promise<string[]> {
  const entries = await tree.entries(folder);
  const at = (name: string) => (folder === '' ? name : `${folder}/${name}`);
  const files = entries
    .filter(({ name, kind }) => kind === 'file' && /\.(json|txt|csv)$/i.test(name) && name !== 'meta.json')
    .map(({ name }) => at(name));
  if (deepest > 0)
    for (const name of await tree.folders(folder))
      files.push(...(await filesBelow(tree, at(name), deepest - 1)));
  if (files.length > k_maxFiles) throw refuseAnnotations(tree.root, `more than ${k_maxFiles} files`);
  return files;
}

/** undefined: in a folder, a file of something else */
async function readOne(folder: string, file: string, isMeant: boolean): Promise<Annotations | undefined> {
  const path = join(folder, file);
  const within = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
  if (/\.csv$/i.test(file)) {
    const table = await readTable(path);
    if (isSeverstal(table)) return placed(readSeverstal(table, path), within);
  } else if (/\.json$/i.test(file)) {
    const value = parseJson(await readBounded(path), path, isMeant);
    if (isCoco(value)) return placed(readCoco(value, path), within);
    if (isLabelme(value)) {
      const { picture, warnings } = readLabelme(value, path, basename(stemOf(file)));
      return placed({ format: 'labelme', pictures: [picture], othersAreNormal: false, warnings }, within);
    }
  } else {
    const text = await readBounded(path);
    if (isDagmEllipses(text))
      return placed(
        { format: 'DAGM 2007', pictures: readDagmEllipses(text), othersAreNormal: false, warnings: [] },
        within,
      );
    if (isYolo(text)) return { format: 'YOLO', pictures: [], othersAreNormal: true, warnings: [] };
  }
  if (isMeant) throw refuseAnnotations(path, 'no annotations of a known format');
  return undefined;
}

/** Labels of classes stand in a file of their own, so all files are read together. */
async function readYoloFiles(folder: string, files: readonly string[]): Promise<Annotations> {
  const names = await yoloNames(folder);
  const pictures: AnnotatedPicture[] = [];
  let boxes = 0;
  for (const file of files) {
    if (!/\.txt$/i.test(file) || /(^|\/)(classes|names|train|val|test|README)[^/]*\.txt$/i.test(file))
      continue;
    const path = join(folder, file);
    const text = await readBounded(path);
    if (!isYolo(text)) continue;
    const read = readYolo(text, path, stemOf(file), names);
    boxes += read.boxes;
    pictures.push(read.picture);
  }
  const warnings =
    boxes === 0
      ? []
      : [`${folder}: ${boxes} annotations are boxes without an outline: all of the box is marked`];
  return { format: 'YOLO', pictures, othersAreNormal: true, warnings };
}

async function yoloNames(folder: string): Promise<string[]> {
  for (const place of [folder, join(folder, '..'), join(folder, '../..')])
    for (const [name, isYaml] of [
      ['data.yaml', true],
      ['dataset.yaml', true],
      ['classes.txt', false],
    ] as const) {
      const text = await readFile(join(place, name)).catch(() => undefined);
      if (text !== undefined) return classNames(decodeText(text, join(place, name)), isYaml);
    }
  return [];
}

/** A name in a file means a path from where the file lies. */
function placed(annotations: Annotations, within: string): Annotations {
  if (within === '') return annotations;
  const pictures = annotations.pictures.map((picture) => ({
    ...picture,
    name: relative('/', join('/', within, picture.name)),
  }));
  return { ...annotations, pictures };
}

function parseJson(text: string, path: string, isMeant: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!isMeant) return undefined;
    throw refuseAnnotations(path, `not JSON (${(cause as Error).message.slice(0, 120)})`, cause);
  }
}

async function readBounded(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > k_maxBytes) throw refuseAnnotations(path, `${size} bytes, at most ${k_maxBytes} are read`);
    return decodeText(await readFile(path), path);
  } catch (thrown) {
    throw thrown instanceof CraneError ? thrown : codedReadError(path, thrown);
  }
}
