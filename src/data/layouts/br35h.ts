import { noAndYes } from './no-and-yes.js';

export const br35h = noAndYes('Br35H, brain tumours', 'brain', {
  name: 'br35h',
  classes: ['brain'],
  normal: 1500,
  anomalous: 1500,
});
