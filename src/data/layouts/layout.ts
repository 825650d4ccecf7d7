/** What a layout of folders is: how it is recognised, how it is read, and what the paper counted in it. */
import type { LeftOutReason } from '../../scan/scan-account.js';
import type { Split } from '../data-set.js';
import type { EntryReading } from '../entry.js';
import type { PictureTree } from './picture-tree.js';

/** A data set of the paper: its classes, and the pictures of its test split (Table 4). */
export interface PublishedSet {
  name: string;
  classes: readonly string[];
  normal: number;
  anomalous: number;
}

/**
 * How sure a layout is of a tree: 3, by what only this data set has (names of classes, an own file); 2, by its shape
 * and the name or the number of its pictures; 1, by its shape alone. The surest layout reads the tree; two equally
 * sure ones are refused.
 */
export interface Recognised {
  strength: 1 | 2 | 3;
  /** completes "read as NAME: ..." */
  why: string;
}

export interface Layout {
  name: string;
  /** what is laid out like this */
  title: string;
  /** the tree in one line */
  shape: string;
  published?: PublishedSet;
  /** its own index names no kinds: `specie_name` is written empty */
  hasNoKinds?: boolean;
  recognise(tree: PictureTree): Promise<Recognised | undefined>;
  read(tree: PictureTree, split: Split): Promise<EntryReading>;
  /** why a picture that neither split uses is left out, where the layout knows more than its place shows */
  reasonFor?(path: string): LeftOutReason | undefined;
}
