import { classFolders, kindFolders, kindsIn, plainShape, someOf } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import { maskFoldersIn } from './mask-folder.js';

const shape = {
  ...plainShape,
  splits: { test: 'test_public', train: 'train' },
  maskPlaces: ['test_public', ''],
};

/** The private test sets have no labels: they are for the benchmark's own server. */
export const mvtecAd2: Layout = {
  name: 'mvtec-ad-2',
  title: 'MVTec AD 2 (its public test set)',
  shape: '[CLASS/]{train,test_public}/{good,bad}/NAME, [CLASS/]test_public/ground_truth/bad/NAME_mask',
  recognise: async (tree) => {
    if ((await kindsIn(tree, shape.splits.test)).length > 0)
      return { strength: 3, why: 'test_public of one class of MVTec AD 2' };
    const classes = await classFolders(tree, shape);
    for (const name of classes)
      if ((await kindsIn(tree, `${name}/${shape.splits.test}`)).length > 0)
        return { strength: 3, why: `CLASS/test_public with the classes ${someOf(classes)}` };
    return undefined;
  },
  read: async (tree, split) => {
    if ((await kindsIn(tree, shape.splits.test)).length === 0)
      return readKindFolders(tree, await kindFolders(tree, split, { shape }));
    // The folder of one class.
    const folder = (await tree.folder(shape.splits[split])) ?? shape.splits[split];
    const kinds = await kindsIn(tree, folder);
    const others = await kindsIn(tree, shape.splits[split === 'test' ? 'train' : 'test']);
    const names = [...new Set([...kinds, ...others])].map((name) => ({ name }));
    const labels = tree.labels.label(names, tree.name);
    return readKindFolders(
      tree,
      await Promise.all(
        kinds.map(async (kind) => ({
          pictures: `${folder}/${kind}`,
          className: tree.name,
          kind,
          isAnomalous: labels.get(kind)!,
          masks: [...(await maskFoldersIn(tree, folder, kind)), ...(await maskFoldersIn(tree, '', kind))],
        })),
      ),
    );
  },
};
