import { mvtecLike } from './mvtec-like.js';

export const mpdd = mvtecLike('MPDD', {
  name: 'mpdd',
  classes: ['bracket_black', 'bracket_brown', 'bracket_white', 'connector', 'metal_plate', 'tubes'],
  normal: 176,
  anomalous: 282,
});
