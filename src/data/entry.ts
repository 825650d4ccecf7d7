/** A labelled picture as an index or a layout names it: paths are not yet checked. */

export interface Entry {
  /** below the root; of an index it may be absolute */
  imagePath: string;
  /** null: no mask */
  maskPath: string | null;
  className: string;
  kind: string;
  isAnomalous: boolean;
}

/** What reading an index or a layout gives. */
export interface Reading {
  entries: Entry[];
  warnings: string[];
}
