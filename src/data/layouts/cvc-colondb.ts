import { imagesAndMasks } from './picture-and-mask-folders.js';

export const cvcColonDb = imagesAndMasks('CVC-ColonDB, colon polyps', {
  name: 'cvc-colondb',
  classes: ['colon'],
  normal: 0,
  anomalous: 380,
});
