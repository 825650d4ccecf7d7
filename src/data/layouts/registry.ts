/** All layouts. A new one is one file and one line here. */
import { br35h } from './br35h.js';
import { brainMri } from './brainmri.js';
import { btad } from './btad.js';
import { cvcClinicDb } from './cvc-clinicdb.js';
import { cvcColonDb } from './cvc-colondb.js';
import { dagm } from './dagm.js';
import { dtd } from './dtd.js';
import { endo } from './endo.js';
import { folders } from './folders.js';
import { headct } from './headct.js';
import { isic } from './isic.js';
import { kolektorSdd } from './kolektorsdd.js';
import type { Layout, PublishedSet } from './layout.js';
import { mpdd } from './mpdd.js';
import { mvtec } from './mvtec.js';
import { oneClass } from './one-class.js';
import { sdd } from './sdd.js';
import { tn3k } from './tn3k.js';
import { visa } from './visa.js';

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
