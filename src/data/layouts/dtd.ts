import { mvtecLike } from './mvtec-like.js';

export const dtd = mvtecLike('DTD-Synthetic', {
  name: 'dtd',
  classes: [
    'Blotchy_099',
    'Fibrous_183',
    'Marbled_078',
    'Matted_069',
    'Mesh_114',
    'Perforated_037',
    'Stratified_154',
    'Woven_001',
    'Woven_068',
    'Woven_104',
    'Woven_125',
    'Woven_127',
  ],
  normal: 357,
  anomalous: 947,
});
