/** What a data set is to the rest of the product: labelled pictures of one split, in a fixed order. */

import type { ScanReport } from '../scan/scan-account.js';
import type { NamedValues } from './mask-values.js';

export type Split = 'test' | 'train';

/** Of one kind of defect, known by the value of its mask's pixels. */
export interface DefectArea {
  className: string;
  name: string;
  pixelValue: number;
  /** pixels, or a share of the mask, that count as all of it */
  saturation: number;
  isRelative: boolean;
}

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
  /** which values of its masks are defects, where that was chosen; else all above 0 */
  maskValues?: NamedValues;
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
  /** of classes: how much of a defect of each kind has to be found (saturation areas of MVTec LOCO, for sPRO) */
  defects?: DefectArea[];
  /** what was found below the root, and what was left out; of an index, what it names */
  scan: ScanReport;
}

/** The order of names on every machine: by UTF-16 code units, whatever the locale. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
