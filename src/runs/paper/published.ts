/** Figures of the paper as a run keeps them beside its own. */
/** Percent, as printed; null: the paper has no such figure. */
export interface PublishedRow {
  image: { auroc: number; ap: number; f1Max: number } | null;
  pixel: { auroc: number; aupro: number; f1Max: number } | null;
}

/** Some of these figures: tables that print fewer. */
export interface PrintedFigures {
  image: Partial<Exclude<PublishedRow['image'], null>> | null;
  pixel: Partial<Exclude<PublishedRow['pixel'], null>> | null;
}

export interface PublishedComparison {
  /** the paper's name of the set */
  dataSet: string;
  /** as the tables head it: Crane, Crane+, or another system */
  column: string;
  /** numbers of the tables that the rows come from */
  tables: number[];
  mean: PublishedRow;
  /** by class name; empty where the paper prints no classes */
  classes: Record<string, PublishedRow>;
  /** the rows of classes are known or supposed to stand beside wrong labels */
  areRowsDoubtful: boolean;
  /** what is known to be wrong in these tables, one sentence each */
  errata: string[];
  /** why our figures need not be those: other prompts, weights, settings. One sentence each */
  notComparable: string[];
}
