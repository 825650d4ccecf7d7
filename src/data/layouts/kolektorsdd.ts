import { join } from 'node:path';
import { MaskNames, stemOf } from '../../scan/mask-names.js';
import { visible } from '../../terminal/visible.js';
import { eachBounded } from '../each-bounded.js';
import type { Entry, Reading } from '../entry.js';
import { isEmptyMask, labelMask } from '../label-mask.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

const k_part = /^kos\d+$/;
const k_label = /_label$/;
const k_labelsAtOnce = 4;

/** KolektorSDD as it is published: every picture has a label, and an empty one means normal. */
export const kolektorSdd: Layout = {
  name: 'kolektorsdd',
  title: "KolektorSDD in its own layout (the paper's figures are of the re-arranged copy, sdd)",
  shape: 'kosNN/PartN.jpg, kosNN/PartN_label.bmp; an empty label is normal',
  recognise: async (tree) => {
    for (const folder of await partFolders(tree)) {
      if ((await tree.pictures(folder)).some((name) => k_label.test(stemOf(name))))
        return { strength: 3, why: `${folder} holds pictures beside their labels` };
    }
    return undefined;
  },
  read: async (tree, split) => (split === 'test' ? readAll(tree) : { entries: [], warnings: [] }),
};

async function partFolders(tree: PictureTree): Promise<string[]> {
  return (await tree.folders()).filter((name) => k_part.test(name));
}

async function readAll(tree: PictureTree): Promise<Reading> {
  const pairs: { imagePath: string; maskPath: string }[] = [];
  const without: string[] = [];
  for (const folder of await partFolders(tree)) {
    const names = await tree.pictures(folder);
    const labels = new MaskNames(names.filter((name) => k_label.test(stemOf(name))));
    for (const name of names.filter((entry) => !k_label.test(stemOf(entry)))) {
      const [label] = labels.find(name)?.masks ?? [];
      if (label === undefined) without.push(`${folder}/${name}`);
      else pairs.push({ imagePath: `${folder}/${name}`, maskPath: `${folder}/${label}` });
    }
  }
  const read = await eachBounded(pairs, k_labelsAtOnce, ({ imagePath, maskPath }) =>
    readPair(tree, imagePath, maskPath),
  );
  return {
    entries: read.filter((entry) => entry !== undefined),
    consulted: pairs.map(({ maskPath }) => maskPath),
    warnings: [
      ...leftOut(without, 'they have no label'),
      ...leftOut(
        pairs.filter((_, index) => read[index] === undefined).map(({ imagePath }) => imagePath),
        'their label cannot be read',
      ),
    ],
  };
}

/** undefined: the label is damaged, and so nobody knows what the picture is */
async function readPair(tree: PictureTree, imagePath: string, maskPath: string): Promise<Entry | undefined> {
  const label = await labelMask(join(tree.root, maskPath)).catch(() => undefined);
  if (label === undefined) return undefined;
  const isAnomalous = !isEmptyMask(label);
  return {
    imagePath,
    maskPaths: isAnomalous ? [maskPath] : [],
    className: 'electrical commutators',
    kind: isAnomalous ? 'defect' : 'good',
    isAnomalous,
  };
}

function leftOut(paths: readonly string[], why: string): string[] {
  return paths.length === 0
    ? []
    : [`${paths.length} pictures are left out, because ${why}, for instance ${visible(paths[0]!)}`];
}
