/** Reads a file or a folder of annotations, whichever of the known formats it is. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { CraneError, toCraneError } from '../../errors.js';
import { codedReadError } from '../../files/open-file.js';
import { decodeText } from '../../files/text.js';
import { stemOf } from '../../scan/mask-names.js';
import { eachBounded } from '../each-bounded.js';
import { PictureTree } from '../layouts/picture-tree.js';
import { readTable } from '../table.js';
import {
  type AnnotatedPicture,
  type Annotations,
  type FoundAnnotations,
  refuseAnnotations,
} from './annotated.js';
import { isCoco, readCoco } from './coco.js';
import { isDagmEllipses, readDagmEllipses } from './dagm-ellipses.js';
import { isLabelme, readLabelme } from './labelme.js';
import { isSeverstal, readSeverstal } from './severstal.js';
import { classNames, isYolo, readYolo } from './yolo.js';

const k_maxBytes = 512 * 2 ** 20;
const k_maxFiles = 1_000_000;
const k_atOnce = 4;
/** Of files that are read because they lie there: they may be anybody's. So is what is no JSON. */
const k_othersFaults = new Set<string>(['E_TEXT_ENCODING', 'E_DATA_META', 'E_DEPENDENCY']);
/** Files beside labels of YOLO that are known to be none. */
const k_noLabels = /(^|\/)(classes|names|obj|train|val|test|readme)\.txt$/i;

/** With the names of pictures as paths below `path`, or below its folder when it is a file. */
export async function readAnnotations(path: string): Promise<FoundAnnotations> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw codedReadError(path, cause);
  });
  const folder = facts.isDirectory() ? path : join(path, '..');
  const isMeant = !facts.isDirectory();
  const files = isMeant ? [basename(path)] : await filesBelow(path);
  // Files of labelme often hold their whole picture too.
  const read = await eachBounded(files, k_atOnce, (file) => (isMeant ? readOne : readIfAny)(folder, file));
  const found = read.flatMap(({ annotations }) => annotations ?? []);
  const faults = read.flatMap(({ fault }) => fault ?? []);
  const formats = [...new Set(found.map(({ format }) => format))];
  if (formats.length === 0) throw faults[0] ?? refuseAnnotations(path, 'no annotations of a known format');
  if (formats.length > 1)
    throw refuseAnnotations(path, `annotations of several formats: ${formats.join(', ')}`);
  if (formats[0] === 'Severstal') refuseFaultyTable(read);
  const { pictures, unread, warnings } =
    formats[0] === 'YOLO'
      ? await readYoloFiles(folder, read)
      : {
          pictures: found.flatMap((annotations) => annotations.pictures),
          unread: [],
          warnings: found.flatMap((annotations) => annotations.warnings),
        };
  const passedOver = `${faults.length} files could not be read and are passed over, for instance`;
  return {
    folder,
    format: formats[0]!,
    pictures,
    unread,
    othersAreNormal: found.some(({ othersAreNormal }) => othersAreNormal),
    warnings: faults.length === 0 ? warnings : [...warnings, `${passedOver} ${faults[0]!.message}`],
  };
}

async function filesBelow(root: string): Promise<string[]> {
  const tree = new PictureTree(root);
  const files: string[] = [];
  for (const folder of await tree.foldersBelow('')) {
    for (const { name, kind } of await tree.entries(folder))
      if (kind === 'file' && /\.(json|txt|csv)$/i.test(name) && name !== 'meta.json')
        files.push(folder === '' ? name : `${folder}/${name}`);
    if (files.length > k_maxFiles) throw refuseAnnotations(root, `more than ${k_maxFiles} files`);
  }
  return files;
}

interface ReadFile {
  file: string;
  /** none: it holds something else */
  annotations?: Annotations;
  /** why nobody knows what it holds */
  fault?: CraneError;
}

/** Beside the annotations of a folder there may be any other file. */
async function readIfAny(folder: string, file: string): Promise<ReadFile> {
  try {
    const annotations = await annotationsIn(folder, file);
    return annotations === undefined ? { file } : { file, annotations };
  } catch (thrown) {
    const fault = toCraneError(thrown);
    if (!k_othersFaults.has(fault.code) && !(fault.cause instanceof SyntaxError)) throw thrown;
    return { file, fault };
  }
}

/** @throws CraneError E_DATA_ANNOTATIONS where it holds none */
async function readOne(folder: string, file: string): Promise<ReadFile> {
  const annotations = await annotationsIn(folder, file);
  if (annotations === undefined)
    throw refuseAnnotations(join(folder, file), 'no annotations of a known format');
  return { file, annotations };
}

/** undefined: it holds something else */
async function annotationsIn(folder: string, file: string): Promise<Annotations | undefined> {
  const path = join(folder, file);
  const within = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
  if (/\.csv$/i.test(file)) {
    const table = await readTable(path);
    return isSeverstal(table) ? placed(readSeverstal(table, path), within) : undefined;
  }
  const text = await readBounded(path);
  if (/\.json$/i.test(file)) {
    const value = parseJson(text, path);
    if (isCoco(value)) return placed(readCoco(value, path), within);
    if (!isLabelme(value)) return undefined;
    const { picture, warnings } = readLabelme(value, path, basename(stemOf(file)));
    return placed({ format: 'labelme', pictures: [picture], othersAreNormal: false, warnings }, within);
  }
  if (isDagmEllipses(text)) {
    const pictures = readDagmEllipses(text);
    return placed({ format: 'DAGM 2007', pictures, othersAreNormal: false, warnings: [] }, within);
  }
  return isYolo(text) ? { format: 'YOLO', pictures: [], othersAreNormal: true, warnings: [] } : undefined;
}

/** Pictures that no row names are normal: a table that cannot be read may name any of them. */
function refuseFaultyTable(read: readonly ReadFile[]): void {
  const fault = read.find(({ file, fault }) => fault !== undefined && /\.csv$/i.test(file))?.fault;
  if (fault === undefined) return;
  throw new CraneError(fault.code, fault.message, {
    hint: 'mend the table; where it holds no annotations, name the one that does: --annotations FILE',
    cause: fault,
  });
}

/** Labels of classes stand in a file of their own, so all files are read together. */
async function readYoloFiles(
  folder: string,
  read: readonly ReadFile[],
): Promise<Pick<FoundAnnotations, 'pictures' | 'unread' | 'warnings'>> {
  const names = await yoloNames(folder);
  const pictures: AnnotatedPicture[] = [];
  const others: string[] = [];
  const unread: string[] = [];
  const isLabelFolder = labelFolders(folder, read);
  let boxes = 0;
  for (const { file, annotations, fault } of read) {
    const path = join(folder, file);
    if (annotations === undefined) {
      if (!/\.txt$/i.test(file)) continue;
      if (k_noLabels.test(file)) continue;
      if (isLabelFolder(file)) unread.push(stemOf(file));
      if (fault === undefined) others.push(path);
      continue;
    }
    const one = readYolo(await readBounded(path), path, stemOf(file), names);
    boxes += one.boxes;
    pictures.push(one.picture);
  }
  const warnings: string[] = [];
  if (boxes > 0)
    warnings.push(`${folder}: ${boxes} annotations are boxes without an outline: all of the box is marked`);
  if (others.length > 0)
    warnings.push(
      `${others.length} text files are no labels of YOLO and are passed over, for instance ${others[0]}`,
    );
  return { pictures, unread, warnings };
}

/** Where a text is a label: others have a picture's name too, such as captions. */
function labelFolders(folder: string, read: readonly ReadFile[]): (file: string) => boolean {
  const labelled = new Set(
    read.flatMap(({ file, annotations }) => (annotations === undefined ? [] : dirname(file))),
  );
  return (file) => labelled.has(dirname(file)) || join(folder, dirname(file)).split(sep).includes('labels');
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

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
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
