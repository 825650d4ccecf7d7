/** What a data set is to the rest of the product: labelled pictures of one split, in a fixed order. */

import type { ScanReport } from '../scan/scan-account.js';

export type Split = 'test' | 'train';

export interface DataItem {
  /** absolute path of the picture */
  image: string;
  /** path below the root with `/` between, as it stands in meta.json */
  imagePath: string;
  /** absolute path of the mask, of several the first; null: there is none */
  mask: string | null;
  maskPath: string | null;
  /** absolute paths of all its masks: they are united */
  masks: string[];
  maskPaths: string[];
  className: string;
  /** kind of anomaly, or the name of the normal kind (`good`); `specie_name` of meta.json */
  kind: string;
  isAnomalous: boolean;
}

export interface DataSet {
  name: string;
  /** absolute */
  root: string;
  /** name of the layout it was read with; `meta.json` for an index */
  layout: string;
  /** why this layout: one sentence for people */
  layoutReason: string;
  /** the set of the paper that it is a copy of, where that is certain */
  published?: string;
  split: Split;
  /** in the order of meta.json; of folders: classes, then paths, by their code units */
  items: DataItem[];
  /** what was noticed while reading, one sentence each */
  warnings: string[];
  /** what was found below the root, and what was left out; of an index, what it names */
  scan: ScanReport;
}

/** The order of names on every machine: by UTF-16 code units, whatever the locale. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
