/**
 * What folders are that no layout reads: data sets known by their names that need a step first, annotations that are no
 * masks yet, archives, and data sets one folder further down. Each with what to do next.
 */
import { shellOption, shellPath, shellWord } from '../../terminal/shell-word.js';
import type { PictureTree } from './picture-tree.js';

export interface Advice {
  /** completes "ROOT: " */
  what: string;
  hint: string;
  /** nothing speaks for a data set: pictures alone */
  isUnlabelled?: boolean;
}

interface KnownSet {
  what: string;
  /** names that files or folders of the root have to have, all of them */
  names: readonly RegExp[];
  /** @param place below the root, to which the first of the names leads; '': the root */
  hint(root: string, place: string): string;
}

const annotate = (root: string, place: string) =>
  `its annotations become masks with: npx crane-native data index ${shellPath(root)} ${shellOption('annotations', place === '' ? root : `${root}/${place}`)}`;

const k_knownSets: readonly KnownSet[] = [
  {
    what: 'this is Severstal steel defects, whose masks stand in a table',
    names: [/^train\.csv$/i, /^train_images$/i],
    hint: annotate,
  },
  {
    what: 'pictures with COCO annotations, which are no masks yet',
    names: [/^(_?annotations.*|instances.*|.*coco.*)\.json$/i],
    hint: annotate,
  },
  {
    what: 'pictures with YOLO labels, which are no masks yet',
    names: [/^labels$/i, /^images$/i],
    hint: annotate,
  },
  {
    what: 'this is MVTec AD 2 in part: its test_public is missing',
    names: [/^(can|fabric|fruit_jelly|rice|sheet_metal|vial|wallplugs|walnuts)$/],
    hint: (root) =>
      `put CLASS/test_public below ${root}, then: npx crane-native data index ${shellPath(root)}`,
  },
  {
    what: 'this is Real-IAD without its indexes',
    names: [/^realiad_(256|512|1024|raw)$/i],
    hint: (root) =>
      `unpack realiad_jsons.zip to ${root}/realiad_jsons, then: npx crane-native data index ${shellPath(root)}`,
  },
  {
    what: 'this is DAGM 2007 in part: a class has no folder of defects',
    names: [/^Class\d+$/],
    hint: () => 'unpack ClassN_def beside ClassN, or the CLASS/{Train,Test} form of the data set',
  },
];

const k_mostLookedInto = 50;
const k_archive = /\.(zip|tar|tgz|tar\.(gz|xz|bz2)|7z|rar)$/i;

/** Of a data set that is known by its names, or whose labels are annotations: what makes it readable. */
export async function annotationAdvice(tree: PictureTree): Promise<Advice | undefined> {
  const named = await namedPlaces(tree);
  for (const { what, names: wanted, hint } of k_knownSets) {
    const found = wanted.map((pattern) => named.find(({ name }) => pattern.test(name)));
    if (found.every((one) => one !== undefined)) return { what, hint: hint(tree.root, found[0]!.place) };
  }
  if (await hasLabelme(tree))
    return {
      what: 'pictures with labelme annotations, which are no masks yet',
      hint: `they become masks with: npx crane-native data index ${shellPath(tree.root)} ${shellOption('annotations', tree.root)}`,
    };
  return undefined;
}

/** Names that tell what a set is, and the file or folder below the root that is to be named for each; '': the root. */
async function namedPlaces(tree: PictureTree): Promise<{ name: string; place: string }[]> {
  const named = (await tree.entries()).map(({ name }) => ({ name, place: name }));
  for (const folder of await tree.folders()) {
    const isSplit = /^(train|valid|val|test)$/i.test(folder);
    // The COCO data set itself and CVAT's export: a folder of JSON files, taken as one.
    const isOfCoco = /^annotations?$/i.test(folder);
    if (isSplit || isOfCoco)
      for (const { name } of await tree.entries(folder)) {
        // Exports of annotation tools keep their files in the folders of the splits.
        if (isSplit && /coco.*\.json$/i.test(name)) named.push({ name, place: `${folder}/${name}` });
        if (isSplit && /^(images|labels)$/i.test(name)) named.push({ name, place: '' });
        if (isOfCoco && /\.json$/i.test(name)) named.push({ name, place: folder });
      }
  }
  return named;
}

export async function adviceFor(
  tree: PictureTree,
  recognised: (below: PictureTree) => Promise<boolean>,
): Promise<Advice | undefined> {
  const nested = await nestedClasses(tree, recognised);
  if (nested) return nested;
  const annotated = await annotationAdvice(tree);
  if (annotated) return annotated;
  const names = (await tree.entries()).map(({ name }) => name);
  const folders = await tree.folders();
  const inside: string[] = [];
  for (const name of folders.slice(0, k_mostLookedInto))
    if (await recognised(tree.below(name))) inside.push(name);
  if (inside.length > 0)
    return {
      what: `no data set itself, but ${inside.length === 1 ? 'there is one' : `there are ${inside.length}`} in it: ${inside.join(', ')}`,
      hint: `name that folder: ${shellPath(tree.below(inside[0]!).root)}`,
    };
  const archive = names.find((name) => k_archive.test(name));
  if (archive !== undefined && folders.length === 0)
    return { what: `holds the archive ${archive}`, hint: 'unpack it first', isUnlabelled: true };
  if ((await tree.pictures()).length > 0 && folders.length === 0)
    return {
      what: `${(await tree.pictures()).length} pictures, and nothing says which are normal`,
      hint: 'put them into folders good/ and bad/ (masks, if any, into masks/ as NAME_mask); to score them: npx crane-native score',
      isUnlabelled: true,
    };
  return undefined;
}

/** `can/can/test_public`, as an archive of each class unpacked into a folder of its name leaves it. */
async function nestedClasses(
  tree: PictureTree,
  recognised: (below: PictureTree) => Promise<boolean>,
): Promise<Advice | undefined> {
  const nested: string[] = [];
  for (const name of (await tree.folders()).slice(0, k_mostLookedInto))
    if ((await tree.folders(name)).includes(name) && (await recognised(tree.below(name)))) nested.push(name);
  if (nested.length === 0) return undefined;
  const shown = nested.map((name) => `${name}/${name}`).join(', ');
  const words = nested.map(shellWord).join(' ');
  // A folder that holds anything else is not deleted: it stays as NAME.outer.
  const move = `for c in ${words}; do mv -- "$c" "$c.outer" && mv -- "$c.outer/$c" . && rmdir -- "$c.outer"; done`;
  return {
    what: `no data set itself, each class lies in a folder of its own name: ${shown}`,
    hint: `move them up: (cd ${shellPath(tree.root)} && ${move}) ; npx crane-native data index ${shellPath(tree.root)}`,
  };
}

/** JSON files of the names of pictures beside them, in the root or a folder of it. */
async function hasLabelme(tree: PictureTree): Promise<boolean> {
  for (const folder of ['', ...(await tree.folders())]) {
    const pictures = new Set((await tree.pictures(folder)).map((name) => name.replace(/\.[^.]+$/, '')));
    const entries = await tree.entries(folder);
    if (entries.some(({ name }) => /\.json$/i.test(name) && pictures.has(name.replace(/\.json$/i, ''))))
      return true;
  }
  return false;
}
