import { noAndYes } from './no-and-yes.js';

export const brainMri = noAndYes('Brain MRI, tumours', 'brain_tumor_dataset', {
  name: 'brainmri',
  classes: ['brain'],
  normal: 98,
  anomalous: 155,
});
