import type { Layout } from './layout.js';
import { imagesAndMasks } from './picture-and-mask-folders.js';

const alike = imagesAndMasks(
  'Kvasir-SEG, colon polyps',
  { name: 'kvasir-seg', classes: ['colon'], normal: 0, anomalous: 1000 },
  'kvasir',
);
/** Its table of boxes is spelled both ways. */
const k_boxes = ['kavsir_bboxes.json', 'kvasir_bboxes.json'];

export const kvasirSeg: Layout = {
  name: alike.name,
  title: alike.title,
  shape: alike.shape,
  recognise: async (tree) => {
    for (const file of k_boxes) if (await tree.hasFile(file)) return { strength: 3, why: `${file} is there` };
    return alike.recognise(tree);
  },
  read: alike.read,
};
