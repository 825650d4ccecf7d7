import { mvtecLike } from './mvtec-like.js';

/** The re-arranged copy that the paper evaluates; kolektorsdd.ts reads the data set as it is published. */
export const sdd = mvtecLike('SDD (KolektorSDD, re-arranged)', {
  name: 'sdd',
  classes: ['electrical commutators'],
  normal: 181,
  anomalous: 74,
});
