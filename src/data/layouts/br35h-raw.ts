import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';

/** Br35H as it is downloaded; `pred` holds pictures that nobody labelled. */
export const br35hRaw: Layout = {
  name: 'br35h-raw',
  title: 'Br35H as downloaded (no masks)',
  shape: '{no,yes}/NAME beside pred/NAME, which has no labels',
  recognise: async (tree) => {
    for (const folder of ['no', 'yes', 'pred']) if (!(await tree.hasPictures(folder))) return undefined;
    return { strength: 3, why: 'no and yes beside pred' };
  },
  read: (tree, split) =>
    readKindFolders(
      tree,
      (split === 'test' ? ['no', 'yes'] : []).map((kind) => ({
        pictures: kind,
        className: 'brain',
        kind,
        isAnomalous: kind === 'yes',
        masks: [],
      })),
    ),
  reasonFor: (path) => (path.startsWith('pred/') ? 'no-label' : undefined),
};
