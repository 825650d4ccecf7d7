import { MaskNames, stemOf } from '../../scan/mask-names.js';
import { labelledByMask, leftOutLines } from './labelled-by-mask.js';
import type { Layout } from './layout.js';

const k_label = /_GT$/;

/** KolektorSDD2: pictures beside their labels; an empty one means normal. */
export const kolektorSdd2: Layout = {
  name: 'kolektorsdd2',
  title: 'KolektorSDD2',
  shape: '{train,test}/NNNNN.png, {train,test}/NNNNN_GT.png; an empty label is normal',
  recognise: async (tree) => {
    for (const split of ['test', 'train']) {
      const names = await tree.pictures(split);
      if (names.some((name) => k_label.test(stemOf(name))))
        return { strength: 3, why: `${split} holds pictures beside their labels NAME_GT` };
    }
    return undefined;
  },
  read: async (tree, split) => {
    const names = await tree.pictures(split);
    const labels = new MaskNames(names.filter((name) => k_label.test(stemOf(name))));
    const pictures = names.filter((name) => !k_label.test(stemOf(name)));
    const pairs = pictures.flatMap((name) => {
      const [label] = labels.find(name)?.masks ?? [];
      return label === undefined ? [] : [{ imagePath: `${split}/${name}`, maskPath: `${split}/${label}` }];
    });
    const paired = new Set(pairs.map(({ imagePath }) => imagePath));
    const without = pictures.map((name) => `${split}/${name}`).filter((path) => !paired.has(path));
    const read = await labelledByMask(tree, pairs, 'kolektorsdd2');
    return { ...read, warnings: [...leftOutLines(without, 'they have no label'), ...read.warnings] };
  },
};
