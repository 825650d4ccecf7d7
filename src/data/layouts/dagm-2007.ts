import { kindsIn } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

const k_suffix = '_def';

/** DAGM as it was handed out for the competition: masks are ellipses in labels.txt. */
export const dagm2007: Layout = {
  name: 'dagm-2007',
  title: 'DAGM 2007 of the competition (ellipses in labels.txt)',
  shape: 'ClassN/NAME.png, ClassN_def/NAME.png, ClassN_def/labels.txt',
  recognise: async (tree) => {
    const [first] = await classesOf(tree);
    return first === undefined ? undefined : { strength: 3, why: `${first} beside ${first}${k_suffix}` };
  },
  read: async (tree, split) => {
    const classes = split === 'test' ? await classesOf(tree) : [];
    const reading = await readKindFolders(
      tree,
      classes.flatMap((className) => [
        { pictures: className, className, kind: 'good', isAnomalous: false, masks: [] },
        {
          pictures: className + k_suffix,
          className,
          kind: 'defect',
          isAnomalous: true,
          masks: [`masks/${className}${k_suffix}`],
        },
      ]),
    );
    const hasMasks = reading.entries.some(({ maskPaths }) => maskPaths.length > 0);
    return hasMasks || classes.length === 0
      ? reading
      : {
          ...reading,
          warnings: [
            ...reading.warnings,
            'the ellipses of labels.txt are no masks yet: npx crane-native data index ROOT --annotations ROOT makes them',
          ],
        };
  },
};

async function classesOf(tree: PictureTree): Promise<string[]> {
  const names = await kindsIn(tree, '');
  return names.filter((name) => names.includes(name + k_suffix));
}
