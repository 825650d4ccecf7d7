import { MaskNames, stemOf } from '../../scan/mask-names.js';
import type { EntryReading } from '../entry.js';
import { type LabelledPair, labelledByMask, leftOutLines } from './labelled-by-mask.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

const k_part = /^kos\d+$/;
const k_label = /_label$/;

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

async function readAll(tree: PictureTree): Promise<EntryReading> {
  const pairs: LabelledPair[] = [];
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
  const read = await labelledByMask(tree, pairs, 'electrical commutators');
  return { ...read, warnings: [...leftOutLines(without, 'they have no label'), ...read.warnings] };
}
