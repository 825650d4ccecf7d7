/** What is known to be wrong in the tables: found by their own sums and by the counts of the test splits. */

export interface Errata {
  texts: readonly string[];
  /** rows of classes are not those of the labels beside them: no targets */
  areRowsDoubtful: boolean;
}

const none: Errata = { texts: [], areRowsDoubtful: false };

const errata: Readonly<Record<string, Errata>> = {
  visa: {
    areRowsDoubtful: true,
    texts: [
      'Tables 17 and 18: the rows of Crane and Crane+ do not belong to the classes beside them, and each column is in another order; the means are not affected.',
      'Table 18: pcb1 (66.4) and, of Crane+, fryum (76.4) are below the F1max of calling every picture anomalous, a sign of the same.',
    ],
  },
  mpdd: {
    areRowsDoubtful: true,
    texts: [
      'Tables 13 and 14: four rows of Crane and Crane+ do not belong to the classes beside them; by the known counts bracket_black is connector, bracket_brown is bracket_white, bracket_white is bracket_black and connector is bracket_brown. The means are not affected.',
    ],
  },
  btad: {
    areRowsDoubtful: false,
    texts: ['Table 1 has an image F1max of 93.7 for Crane+, table 8 has 92.9.'],
  },
  dtd: {
    areRowsDoubtful: true,
    texts: [
      'Pixel figures of Crane: table 1 has 98.3, 93.3, 68.8, the mean row of table 11 has 98.5, 95.2, 69.1.',
      'Table 12: its columns seem to follow different orders of the classes (an estimate).',
    ],
  },
  dagm: {
    areRowsDoubtful: false,
    texts: ['Table 10: its mean row is not the mean of its rows in nearly every column.'],
  },
  sdd: {
    areRowsDoubtful: false,
    texts: ['The set is called SDD, KSDD and KolektorSDD in different places.'],
  },
};

export function errataOf(dataSet: string): Errata {
  return Object.hasOwn(errata, dataSet) ? errata[dataSet]! : none;
}
