import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import { anomalousFolder } from './picture-and-mask-folders.js';

export const tn3k: Layout = {
  name: 'tn3k',
  title: 'TN3K, thyroid nodules (anomalous pictures only)',
  shape: 'test-image/NAME, test-mask/NAME (and trainval-image, trainval-mask)',
  published: { name: 'tn3k', classes: ['thyroid'], normal: 0, anomalous: 614 },
  hasNoKinds: true,
  recognise: async (tree) =>
    (await tree.hasPictures('test-image')) && (await tree.hasPictures('test-mask'))
      ? { strength: 3, why: 'test-image beside test-mask' }
      : undefined,
  read: (tree, split) => {
    const part = split === 'test' ? 'test' : 'trainval';
    return readKindFolders(tree, [anomalousFolder('thyroid', `${part}-image`, `${part}-mask`)]);
  },
};
