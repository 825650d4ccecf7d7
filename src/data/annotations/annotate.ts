/** From annotations to masks: which picture each is of, its pixels, the files that are written once. */
import { mkdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { CraneError, toCraneError } from '../../errors.js';
import { isThere, writeWhole } from '../../files/write-whole.js';
import { checkPixels } from '../../images/read-limits.js';
import { sharp } from '../../images/sharp.js';
import { stemOf } from '../../scan/mask-names.js';
import { visible } from '../../terminal/visible.js';
import { eachBounded } from '../each-bounded.js';
import type { PictureTree } from '../layouts/picture-tree.js';
import { pictureSizes } from '../picture-sizes.js';
import { RootFence } from '../root-fence.js';
import type { AnnotatedPicture, FoundAnnotations } from './annotated.js';
import { foldersOf, imagesFor, linkedFolders, type NamedPlace, Places } from './places.js';
import { drawShapes, type Shape } from './shapes.js';

const k_atOnce = 4;
/** Below the root; the masks keep the folders of their pictures. */
const k_folder = 'masks';

/** A picture of the tree with what was drawn on it. */
export interface FoundPicture {
  /** below the root */
  path: string;
  shapes: readonly Shape[];
  size: AnnotatedPicture['size'];
  /** shapes without an area */
  undrawn: number;
}

export interface Matched {
  found: FoundPicture[];
  /** pictures that no annotation names, in folders of pictures that were annotated */
  others: string[];
  /** pictures whose annotations cannot be read */
  unread: string[];
  /** pictures of other folders: nobody has looked at them */
  elsewhere: string[];
  warnings: string[];
}

/**
 * By the path that the annotation gives, from its own folder or the root; else by the name alone, where only one picture has it.
 * @throws CraneError E_DATA_ANNOTATIONS when no picture is named
 */
export async function matchPictures(
  tree: PictureTree,
  { format, pictures, folder, unread }: FoundAnnotations,
): Promise<Matched> {
  const below = (await tree.picturesBelow('')).filter((path) => !path.startsWith(`${k_folder}/`));
  const within = relative(tree.root, folder).split(sep).join('/');
  const folders = foldersOf(below);
  const links = await linkedFolders(tree.root, folders, [
    ...pictures.flatMap(({ name }) => [dirname(name), join(within, dirname(name))]),
    ...unread.map((name) => join(within, dirname(name))),
  ]);
  const paths = below.filter((path) => !isAmongLabels(path, folders, links));
  const places = new Places(paths, links);
  const { byPath, missing } = gathered(
    pictures.map((picture) => ({ picture, place: places.find(picture.name, within, picture.isStem) })),
  );
  if (byPath.size === 0) {
    const first =
      pictures[0] && `the first names ${visible(pictures[0].name)}: put the pictures below the root`;
    throw new CraneError(
      'E_DATA_ANNOTATIONS',
      `${tree.root}: none of the ${pictures.length} annotations (${format}) names a picture below it`,
      { hint: first },
    );
  }
  const annotated = new Set([...byPath.keys()].map((path) => dirname(path)));
  const texts = new Set(pictures.map(({ name }) => join('/', places.imagesFor(join(within, dirname(name))))));
  const isLookedThrough = (path: string) =>
    annotated.has(dirname(path)) || texts.has(join('/', dirname(path)));
  const unknown = new Set(unread.map((name) => places.find(name, within, true)?.path));
  const others = below.filter((path) => !byPath.has(path) && !unknown.has(path));
  const lost = `${missing.length} annotations name no picture below the root, for instance`;
  return {
    found: [...byPath.values()],
    others: others.filter(isLookedThrough),
    unread: below.filter((path) => unknown.has(path) && !byPath.has(path)),
    elsewhere: others.filter((path) => !isLookedThrough(path)),
    warnings: missing.length === 0 ? [] : [`${lost} ${visible(missing[0]!)}`],
  };
}

/** What several annotations say of one picture. @throws CraneError E_DATA_ANNOTATIONS where that cannot be, or must not be guessed */
function gathered(annotated: readonly { picture: AnnotatedPicture; place: NamedPlace | undefined }[]): {
  byPath: Map<string, FoundPicture>;
  missing: string[];
} {
  const sure = new Set(annotated.map(({ place }) => (place?.isSure ? place.path : undefined)));
  const byPath = new Map<string, FoundPicture & { shapes: Shape[] }>();
  const names = new Map<string, string>();
  const missing: string[] = [];
  for (const { picture, place } of annotated) {
    const { name, size, shapes, undrawn = 0 } = picture;
    // A name alone is no claim on a picture that another annotation means by its path.
    if (place === undefined || (!place.isSure && sure.has(place.path))) {
      missing.push(name);
      continue;
    }
    const { path, isSure } = place;
    const other = names.get(path);
    if (!isSure && other !== undefined && other !== name)
      throw refuse(path, `is named by two annotations, ${visible(other)} and ${visible(name)}`, k_whose);
    names.set(path, name);
    const found = byPath.get(path) ?? { path, size, shapes: [], undrawn: 0 };
    byPath.set(path, found);
    if (size && found.size && !isSame(size, found.size))
      throw refuse(path, `annotated as ${sizeText(found.size)} and as ${sizeText(size)} pixels`, k_scale);
    found.size ??= size;
    for (const shape of shapes) found.shapes.push(shape);
    found.undrawn += undrawn;
  }
  return { byPath, missing };
}

const k_whose = 'put the pictures below the root in the folders that the annotations name';
const k_scale =
  'annotations hold for the picture as it was: put that one there, or scale the annotations with it';

function refuse(path: string, what: string, hint: string): CraneError {
  return new CraneError('E_DATA_ANNOTATIONS', `${path}: ${what}`, { hint });
}

function sizeText({ width, height }: Size): string {
  return `${width} x ${height}`;
}

/** A picture in YOLO's `labels` beside `images` shows what was drawn (a preview): it is no picture of the data. */
function isAmongLabels(
  path: string,
  folders: ReadonlySet<string>,
  links: ReadonlyMap<string, string>,
): boolean {
  const images = imagesFor(dirname(path));
  return images !== dirname(path) && (folders.has(images) || links.has(images));
}

/** Whether a mask lies where they are written. */
export function isOfAnnotations(mask: string): boolean {
  return mask.startsWith(`${k_folder}/`);
}

/** Paths below the root of the masks of those pictures that have shapes, by the pictures' own. */
export function masksOf(found: readonly FoundPicture[]): Map<string, string> {
  return maskNames(found.filter(({ shapes }) => shapes.length > 0).map(({ path }) => path));
}

/**
 * Writes the masks: nothing is written when one of them exists.
 * @returns warnings
 * @throws CraneError E_EXISTS, E_IO_WRITE, E_IMAGE_TOO_LARGE, E_DATA_PATH where a link leads out of the root,
 * E_DATA_ANNOTATIONS for a picture of another size than it was annotated in
 */
export async function writeMasks(
  root: string,
  found: readonly FoundPicture[],
  masks: ReadonlyMap<string, string>,
  { overwrite, maxPixels, followLinks }: { overwrite: boolean; maxPixels: number; followLinks: boolean },
): Promise<string[]> {
  const wanted = found.filter(({ path }) => masks.has(path));
  await refuseOutside(await RootFence.at(root, followLinks), [...masks.values()]);
  if (!overwrite)
    for (const mask of masks.values())
      if (await isThere(join(root, mask))) throw maskExists(join(root, mask));
  const empty = await eachBounded(wanted, k_atOnce, async (picture) => {
    const file = join(root, masks.get(picture.path)!);
    const { data, width, height } = await draw(root, picture, maxPixels);
    await mkdir(dirname(file), { recursive: true });
    const png = sharp(data, { raw: { width, height, channels: 1 } })
      .toColourspace('b-w')
      .png();
    await writeWhole(file, await png.toBuffer(), { overwrite });
    return data.includes(255) ? undefined : picture.path;
  });
  const unmarked = empty.filter((path) => path !== undefined);
  const nothing = 'masks mark no pixel, since what was drawn lies outside of the picture or has no area';
  return unmarked.length === 0
    ? []
    : [`${unmarked.length} ${nothing}, for instance that of ${visible(unmarked[0]!)}`];
}

/** A data set may come with a folder of masks that is a link to anywhere. */
async function refuseOutside(fence: RootFence, masks: readonly string[]): Promise<void> {
  for (const folder of foldersOf(masks)) {
    if ((await fence.look(folder)) !== 'outside') continue;
    throw new CraneError(
      'E_DATA_PATH',
      `${fence.root}: the masks would be written out of it: ${visible((await fence.why(folder)) ?? folder)}`,
      { hint: 'where you trust the link add --follow-links; else move it away' },
    );
  }
}

function maskExists(path: string): CraneError {
  return new CraneError('E_EXISTS', `${path}: exists already`, {
    hint: 'overwrite the masks with --force, or move them away',
  });
}

/** Two pictures of one stem (1.jpg, 1.png) have a mask each: the index says which is whose. */
function maskNames(paths: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  return new Map(
    paths.map((path) => {
      let [name, count] = [stemOf(path), 1];
      // File systems may ignore case and the form of accents.
      while (taken.has(name.normalize('NFC').toLowerCase())) name = count++ === 1 ? path : `${path}~${count}`;
      taken.add(name.normalize('NFC').toLowerCase());
      return [path, `${k_folder}/${name}_mask.png`];
    }),
  );
}

async function draw(root: string, { path, size, shapes }: FoundPicture, maxPixels: number) {
  const { upright, stored } = await pictureSizes(join(root, path));
  // A mask in the stored size is turned with its picture; tools that show it upright draw on the upright one.
  const of =
    size === undefined || isSame(size, upright) ? upright : isSame(size, stored) ? stored : undefined;
  if (of === undefined) {
    throw refuse(
      path,
      `annotated as ${sizeText(size!)} pixels, but the picture has ${sizeText(upright)}`,
      k_scale,
    );
  }
  checkPixels(path, of, maxPixels);
  try {
    return await drawShapes(shapes, of.width, of.height, maxPixels);
  } catch (cause) {
    const { code, message, hint } = toCraneError(cause);
    // Of a mask that is a picture these are no fault of how it was written.
    const kept = code === 'E_IMAGE_TOO_LARGE' || code === 'E_MEMORY' ? code : 'E_DATA_ANNOTATIONS';
    throw new CraneError(kept, `${path}: ${message}`, { hint, cause });
  }
}

interface Size {
  width: number;
  height: number;
}

function isSame(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}
