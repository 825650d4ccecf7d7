/** All layouts. A new one is one file and one line here. */
import { br35h } from './br35h.js';
import { br35hRaw } from './br35h-raw.js';
import { brainMri } from './brainmri.js';
import { btad } from './btad.js';
import { cvcClinicDb } from './cvc-clinicdb.js';
import { cvcColonDb } from './cvc-colondb.js';
import { cvcOriginal } from './cvc-original.js';
import { dagm } from './dagm.js';
import { dagm2007 } from './dagm-2007.js';
import { dtd } from './dtd.js';
import { endo } from './endo.js';
import { folders } from './folders.js';
import { headct } from './headct.js';
import { headctLabels } from './headct-labels.js';
import { isic } from './isic.js';
import { isicRaw } from './isic-raw.js';
import { kolektorSdd } from './kolektorsdd.js';
import { kolektorSdd2 } from './kolektorsdd2.js';
import { kvasirSeg } from './kvasir-seg.js';
import type { Layout, PublishedSet } from './layout.js';
import { mpdd } from './mpdd.js';
import { mvtec } from './mvtec.js';
import { mvtec3d } from './mvtec-3d.js';
import { mvtecAd2 } from './mvtec-ad-2.js';
import { mvtecLoco } from './mvtec-loco.js';
import { oneClass } from './one-class.js';
import { realIad } from './real-iad.js';
import { sdd } from './sdd.js';
import { tn3k } from './tn3k.js';
import { visa } from './visa.js';
import { visaPytorch } from './visa-pytorch.js';
import { visaRaw } from './visa-raw.js';

export const layouts: readonly Layout[] = [
  mvtec,
  visa,
  mpdd,
  btad,
  sdd,
  kolektorSdd,
  dagm,
  dtd,
  isic,
  cvcClinicDb,
  cvcColonDb,
  endo,
  tn3k,
  headct,
  brainMri,
  br35h,
  mvtecAd2,
  mvtecLoco,
  mvtec3d,
  visaPytorch,
  visaRaw,
  kolektorSdd2,
  realIad,
  dagm2007,
  isicRaw,
  cvcOriginal,
  kvasirSeg,
  headctLabels,
  br35hRaw,
  folders,
  oneClass,
];

export const publishedSets: readonly PublishedSet[] = layouts.flatMap(({ published }) => published ?? []);

/**
 * The set of the paper that has just these classes. A name like `brain` is that of several sets and of many others:
 * with one class only, the data set must be known by the set's name as well.
 */
export function publishedByClasses(classNames: readonly string[], knownAs: string): PublishedSet | undefined {
  const classes = new Set(classNames);
  return publishedSets.find(
    (set) =>
      set.classes.length === classes.size &&
      set.classes.every((name) => classes.has(name)) &&
      (classes.size > 1 || set.name === knownAs),
  );
}
