import { imagesAndMasks } from './picture-and-mask-folders.js';

export const cvcClinicDb = imagesAndMasks('CVC-ClinicDB, colon polyps', {
  name: 'cvc-clinicdb',
  classes: ['colon'],
  normal: 0,
  anomalous: 612,
});
