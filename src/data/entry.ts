import type { DefectArea } from './data-set.js';
import type { NamedValues } from './mask-values.js';

/** A labelled picture as an index or a layout names it: paths are not yet checked. */

export interface Entry {
  /** below the root; of an index it may be absolute */
  imagePath: string;
  /** masks of it, which are united; none: there is no mask */
  maskPaths: string[];
  className: string;
  kind: string;
  isAnomalous: boolean;
}

/** What reading an index or a layout gives. */
export interface EntryReading {
  entries: Entry[];
  /** files that told labels without being masks of a picture, below the root */
  consulted?: string[];
  warnings: string[];
  /** of classes whose masks have areas of saturation */
  defects?: DefectArea[];
  /** which values of its masks are defects, where the index says it */
  maskValues?: NamedValues;
}
