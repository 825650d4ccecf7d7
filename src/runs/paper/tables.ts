/**
 * The columns Crane and Crane+ of the paper's tables 1 and 7 to 18 (arXiv 2504.11055), as printed, in percent. The sets that it
 * prints no row for are left out; columns of the systems beside them: compared-systems.json. What is wrong in the tables stands in errata.ts.
 */

/** image: AUROC, AP, F1max; pixel: AUROC, AUPRO, F1max */
export interface PrintedRow {
  image: readonly [number, number, number] | null;
  pixel: readonly [number, number, number] | null;
}

export type PaperColumn = 'Crane' | 'Crane+';

export interface PrintedSet {
  /** its name in table 1 */
  printedAs: string;
  /** 1 has the mean, the others the classes */
  tables: readonly number[];
  mean: Record<PaperColumn, PrintedRow>;
  /** under the data set's own class names */
  classes: Readonly<Record<string, Record<PaperColumn, PrintedRow>>>;
}

/** By the names of the layouts (data list). */
export const printedSets: Readonly<Record<string, PrintedSet>> = {
  mvtec: {
    printedAs: 'MVTec',
    tables: [1, 15, 16],
    mean: {
      Crane: { image: [93.8, 97.5, 93.8], pixel: [91.3, 84.6, 41.3] },
      'Crane+': { image: [93.9, 97.6, 93.6], pixel: [91.2, 88.1, 43.8] },
    },
    classes: {
      bottle: {
        Crane: { image: [91.3, 97.5, 91.1], pixel: [91.6, 84.6, 54.6] },
        'Crane+': { image: [92.4, 97.7, 92.8], pixel: [93.6, 88.2, 60.6] },
      },
      grid: {
        Crane: { image: [99.7, 99.9, 98.3], pixel: [97.7, 80.0, 35.7] },
        'Crane+': { image: [100.0, 100.0, 100.0], pixel: [99.2, 95.5, 48.1] },
      },
      carpet: {
        Crane: { image: [100.0, 100.0, 100.0], pixel: [99.0, 91.9, 59.2] },
        'Crane+': { image: [99.9, 100.0, 99.4], pixel: [99.3, 95.8, 66.8] },
      },
      capsule: {
        Crane: { image: [93.5, 98.6, 94.1], pixel: [96.0, 90.5, 33.8] },
        'Crane+': { image: [92.3, 98.3, 93.8], pixel: [95.5, 92.4, 33.5] },
      },
      cable: {
        Crane: { image: [87.1, 92.5, 83.9], pixel: [77.7, 68.8, 23.1] },
        'Crane+': { image: [88.1, 93.4, 86.2], pixel: [79.4, 71.5, 22.0] },
      },
      hazelnut: {
        Crane: { image: [98.5, 99.3, 96.4], pixel: [97.1, 94.3, 50.6] },
        'Crane+': { image: [98.0, 99.1, 96.3], pixel: [97.4, 94.8, 53.2] },
      },
      leather: {
        Crane: { image: [100.0, 100.0, 100.0], pixel: [99.1, 97.2, 40.7] },
        'Crane+': { image: [100.0, 100.0, 100.0], pixel: [99.1, 98.3, 41.4] },
      },
      metal_nut: {
        Crane: { image: [79.9, 95.5, 90.3], pixel: [72.7, 74.4, 33.4] },
        'Crane+': { image: [84.1, 96.4, 89.9], pixel: [76.9, 80.1, 34.0] },
      },
      screw: {
        Crane: { image: [90.0, 95.8, 91.6], pixel: [98.4, 91.7, 33.8] },
        'Crane+': { image: [92.4, 97.3, 92.1], pixel: [98.6, 92.8, 39.3] },
      },
      pill: {
        Crane: { image: [84.8, 96.7, 93.5], pixel: [89.1, 90.8, 28.7] },
        'Crane+': { image: [87.0, 97.5, 92.2], pixel: [85.1, 91.3, 27.5] },
      },
      toothbrush: {
        Crane: { image: [95.8, 98.7, 95.1], pixel: [93.5, 90.4, 35.8] },
        'Crane+': { image: [86.4, 95.1, 88.5], pixel: [89.7, 90.8, 29.5] },
      },
      wood: {
        Crane: { image: [98.6, 99.6, 97.4], pixel: [97.5, 93.8, 60.7] },
        'Crane+': { image: [97.9, 99.4, 97.5], pixel: [96.7, 96.0, 60.8] },
      },
      transistor: {
        Crane: { image: [90.6, 88.6, 79.1], pixel: [69.5, 56.0, 17.7] },
        'Crane+': { image: [91.8, 90.2, 79.5], pixel: [65.4, 54.8, 16.7] },
      },
      tile: {
        Crane: { image: [99.7, 99.9, 98.8], pixel: [96.1, 87.5, 65.7] },
        'Crane+': { image: [99.7, 99.9, 98.8], pixel: [95.5, 90.3, 68.0] },
      },
      zipper: {
        Crane: { image: [97.6, 99.3, 97.9], pixel: [95.1, 77.3, 46.3] },
        'Crane+': { image: [99.0, 99.7, 97.5], pixel: [97.3, 89.3, 54.9] },
      },
    },
  },
  visa: {
    printedAs: 'VisA',
    tables: [1, 17, 18],
    mean: {
      Crane: { image: [85.3, 87.9, 82.6], pixel: [95.1, 87.5, 30.9] },
      'Crane+': { image: [83.6, 86.7, 81.2], pixel: [95.3, 90.6, 30.2] },
    },
    classes: {
      candle: {
        Crane: { image: [83.3, 92.9, 82.2], pixel: [86.2, 92.2, 16.7] },
        'Crane+': { image: [85.9, 93.7, 84.5], pixel: [90.4, 94.9, 13.5] },
      },
      capsules: {
        Crane: { image: [97.5, 99.0, 96.9], pixel: [99.0, 87.3, 67.1] },
        'Crane+': { image: [81.5, 90.0, 80.2], pixel: [95.7, 89.3, 32.6] },
      },
      cashew: {
        Crane: { image: [84.4, 91.2, 83.7], pixel: [96.8, 88.4, 43.4] },
        'Crane+': { image: [97.9, 99.2, 96.4], pixel: [99.4, 93.7, 69.6] },
      },
      chewinggum: {
        Crane: { image: [95.1, 97.8, 92.3], pixel: [94.8, 84.7, 33.7] },
        'Crane+': { image: [92.7, 96.8, 90.2], pixel: [93.8, 90.7, 27.3] },
      },
      fryum: {
        Crane: { image: [87.1, 89.9, 80.0], pixel: [98.5, 92.3, 37.6] },
        'Crane+': { image: [83.5, 87.2, 76.4], pixel: [98.9, 97.5, 40.3] },
      },
      macaroni1: {
        Crane: { image: [83.6, 84.9, 79.3], pixel: [92.0, 86.8, 15.7] },
        'Crane+': { image: [83.5, 85.5, 77.0], pixel: [93.3, 89.5, 17.5] },
      },
      macaroni2: {
        Crane: { image: [74.0, 75.0, 72.5], pixel: [93.7, 81.2, 22.3] },
        'Crane+': { image: [74.7, 76.5, 72.5], pixel: [93.9, 83.7, 25.0] },
      },
      pcb1: {
        Crane: { image: [68.2, 73.0, 66.4], pixel: [89.8, 79.5, 15.6] },
        'Crane+': { image: [57.1, 65.1, 66.4], pixel: [88.4, 79.6, 16.1] },
      },
      pcb2: {
        Crane: { image: [85.4, 87.1, 77.6], pixel: [98.9, 90.0, 29.2] },
        'Crane+': { image: [68.5, 66.4, 69.9], pixel: [98.0, 86.0, 7.4] },
      },
      pcb3: {
        Crane: { image: [69.1, 68.3, 71.0], pixel: [98.3, 86.0, 7.3] },
        'Crane+': { image: [85.7, 86.5, 77.2], pixel: [99.2, 93.0, 34.2] },
      },
      pcb4: {
        Crane: { image: [98.7, 99.4, 96.0], pixel: [98.0, 91.5, 43.2] },
        'Crane+': { image: [97.0, 98.5, 94.0], pixel: [97.4, 97.4, 37.8] },
      },
      pipe_fryum: {
        Crane: { image: [97.0, 96.8, 93.1], pixel: [94.9, 90.0, 39.2] },
        'Crane+': { image: [94.9, 94.5, 89.2], pixel: [95.2, 91.6, 40.9] },
      },
    },
  },
  mpdd: {
    printedAs: 'MPDD',
    tables: [1, 13, 14],
    mean: {
      Crane: { image: [81.4, 84.8, 81.6], pixel: [97.0, 89.3, 38.2] },
      'Crane+': { image: [81.0, 84.1, 83.0], pixel: [97.6, 93.2, 42.0] },
    },
    classes: {
      bracket_black: {
        Crane: { image: [82.1, 74.1, 66.7], pixel: [96.1, 86.1, 28.6] },
        'Crane+': { image: [83.3, 70.3, 71.8], pixel: [97.2, 90.4, 30.4] },
      },
      bracket_brown: {
        Crane: { image: [80.8, 81.8, 76.9], pixel: [99.8, 96.2, 35.1] },
        'Crane+': { image: [84.0, 82.7, 82.5], pixel: [99.8, 97.7, 31.4] },
      },
      bracket_white: {
        Crane: { image: [72.9, 77.7, 81.1], pixel: [97.7, 92.2, 25.2] },
        'Crane+': { image: [76.9, 81.8, 79.6], pixel: [98.0, 95.5, 36.6] },
      },
      connector: {
        Crane: { image: [64.9, 80.1, 81.0], pixel: [95.6, 82.1, 17.2] },
        'Crane+': { image: [54.6, 74.4, 79.7], pixel: [96.1, 89.1, 16.2] },
      },
      metal_plate: {
        Crane: { image: [91.4, 96.8, 90.9], pixel: [93.9, 83.4, 62.5] },
        'Crane+': { image: [89.9, 96.6, 89.7], pixel: [95.3, 89.3, 66.8] },
      },
      tubes: {
        Crane: { image: [96.4, 98.5, 93.0], pixel: [98.9, 95.7, 61.0] },
        'Crane+': { image: [97.5, 99.0, 94.8], pixel: [99.2, 97.1, 70.2] },
      },
    },
  },
  btad: {
    printedAs: 'BTAD',
    tables: [1, 7, 8],
    mean: {
      Crane: { image: [94.4, 95.9, 91.7], pixel: [96.6, 81.3, 56.9] },
      'Crane+': { image: [96.3, 97.0, 93.7], pixel: [96.7, 86.8, 61.1] },
    },
    classes: {
      '01': {
        Crane: { image: [98.3, 99.3, 95.7], pixel: [96.2, 77.3, 60.8] },
        'Crane+': { image: [98.2, 99.3, 96.8], pixel: [97.0, 84.0, 65.5] },
      },
      '02': {
        Crane: { image: [86.6, 97.9, 93.7], pixel: [95.7, 72.8, 64.0] },
        'Crane+': { image: [92.2, 98.8, 94.7], pixel: [95.0, 81.1, 66.7] },
      },
      '03': {
        Crane: { image: [98.3, 90.5, 85.7], pixel: [97.9, 93.6, 45.9] },
        'Crane+': { image: [98.5, 92.6, 87.2], pixel: [97.9, 95.5, 51.3] },
      },
    },
  },
  sdd: {
    printedAs: 'KSDD',
    tables: [1],
    mean: {
      Crane: { image: [97.8, 94.3, 91.6], pixel: [97.9, 95.9, 60.2] },
      'Crane+': { image: [97.8, 94.5, 89.7], pixel: [99.2, 97.4, 62.4] },
    },
    classes: {},
  },
  dagm: {
    printedAs: 'DAGM',
    tables: [1, 9, 10],
    mean: {
      Crane: { image: [99.2, 97.4, 95.8], pixel: [96.3, 91.2, 67.2] },
      'Crane+': { image: [98.9, 96.1, 94.7], pixel: [96.2, 93.8, 66.8] },
    },
    classes: {
      Class1: {
        Crane: { image: [92.8, 78.8, 73.2], pixel: [88.3, 72.7, 48.5] },
        'Crane+': { image: [89.9, 66.8, 65.2], pixel: [86.6, 75.7, 40.2] },
      },
      Class2: {
        Crane: { image: [100.0, 100.0, 100.0], pixel: [99.6, 98.2, 73.1] },
        'Crane+': { image: [100.0, 100.0, 100.0], pixel: [98.7, 98.8, 72.5] },
      },
      Class3: {
        Crane: { image: [100.0, 100.0, 100.0], pixel: [95.8, 89.9, 73.2] },
        'Crane+': { image: [100.0, 100.0, 100.0], pixel: [95.6, 93.6, 70.5] },
      },
      Class4: {
        Crane: { image: [99.4, 98.5, 96.4], pixel: [92.5, 80.8, 35.6] },
        'Crane+': { image: [99.0, 98.1, 93.2], pixel: [93.9, 86.4, 33.6] },
      },
      Class5: {
        Crane: { image: [100.0, 100.0, 100.0], pixel: [99.1, 94.6, 79.5] },
        'Crane+': { image: [99.9, 99.6, 98.2], pixel: [99.3, 98.1, 80.5] },
      },
      Class6: {
        Crane: { image: [100.0, 100.0, 100.0], pixel: [99.3, 93.2, 78.8] },
        'Crane+': { image: [100.0, 99.9, 99.1], pixel: [99.8, 99.1, 82.8] },
      },
      Class7: {
        Crane: { image: [100.0, 100.0, 99.7], pixel: [90.5, 87.8, 72.8] },
        'Crane+': { image: [98.3, 96.0, 90.7], pixel: [89.9, 88.7, 70.9] },
      },
      Class8: {
        Crane: { image: [99.8, 99.0, 96.3], pixel: [99.0, 98.4, 68.4] },
        'Crane+': { image: [99.5, 98.8, 96.7], pixel: [99.6, 99.6, 68.7] },
      },
      Class9: {
        Crane: { image: [99.7, 98.3, 93.4], pixel: [99.9, 99.2, 76.0] },
        'Crane+': { image: [99.9, 99.7, 98.4], pixel: [99.9, 99.6, 75.2] },
      },
      Class10: {
        Crane: { image: [100.0, 99.8, 99.0], pixel: [98.8, 97.1, 66.5] },
        'Crane+': { image: [99.8, 99.3, 98.0], pixel: [99.2, 98.9, 73.4] },
      },
    },
  },
  dtd: {
    printedAs: 'DTD',
    tables: [1, 11, 12],
    mean: {
      Crane: { image: [96.3, 98.5, 95.3], pixel: [98.3, 93.3, 68.8] },
      'Crane+': { image: [95.8, 98.2, 94.6], pixel: [98.8, 96.0, 71.8] },
    },
    classes: {
      Woven_001: {
        Crane: { image: [99.4, 99.9, 98.7], pixel: [99.8, 99.1, 72.7] },
        'Crane+': { image: [98.4, 99.6, 97.5], pixel: [99.9, 99.4, 75.0] },
      },
      Woven_127: {
        Crane: { image: [100.0, 100.0, 100.0], pixel: [95.6, 94.7, 63.6] },
        'Crane+': { image: [98.6, 99.7, 98.1], pixel: [95.3, 93.7, 65.9] },
      },
      Woven_104: {
        Crane: { image: [98.6, 99.7, 98.7], pixel: [98.4, 96.7, 68.7] },
        'Crane+': { image: [100.0, 100.0, 99.3], pixel: [98.6, 96.8, 70.9] },
      },
      Stratified_154: {
        Crane: { image: [99.7, 99.9, 98.8], pixel: [99.5, 99.0, 72.3] },
        'Crane+': { image: [99.8, 100.0, 99.4], pixel: [99.3, 98.3, 72.9] },
      },
      Blotchy_099: {
        Crane: { image: [92.6, 94.3, 87.4], pixel: [99.6, 96.5, 73.2] },
        'Crane+': { image: [90.5, 92.6, 83.3], pixel: [99.7, 97.2, 76.0] },
      },
      Woven_068: {
        Crane: { image: [99.0, 99.8, 98.8], pixel: [98.7, 95.7, 51.6] },
        'Crane+': { image: [100.0, 100.0, 100.0], pixel: [99.1, 96.9, 61.4] },
      },
      Woven_125: {
        Crane: { image: [100.0, 100.0, 100.0], pixel: [99.6, 97.9, 70.5] },
        'Crane+': { image: [98.9, 99.8, 98.8], pixel: [99.7, 99.1, 75.5] },
      },
      Marbled_078: {
        Crane: { image: [93.7, 98.5, 93.3], pixel: [99.4, 97.7, 68.3] },
        'Crane+': { image: [95.2, 98.9, 94.5], pixel: [99.4, 97.6, 71.3] },
      },
      Perforated_037: {
        Crane: { image: [87.6, 95.1, 86.6], pixel: [96.6, 94.1, 70.0] },
        'Crane+': { image: [88.3, 95.2, 85.9], pixel: [97.9, 96.5, 71.7] },
      },
      Mesh_114: {
        Crane: { image: [95.1, 97.3, 91.0], pixel: [95.2, 83.3, 64.8] },
        'Crane+': { image: [94.8, 97.2, 90.5], pixel: [97.0, 88.7, 68.1] },
      },
      Fibrous_183: {
        Crane: { image: [99.1, 99.8, 97.5], pixel: [99.7, 99.2, 78.6] },
        'Crane+': { image: [97.3, 99.4, 96.2], pixel: [99.7, 99.1, 77.1] },
      },
      Matted_069: {
        Crane: { image: [91.1, 97.8, 92.2], pixel: [99.7, 88.4, 74.5] },
        'Crane+': { image: [87.8, 96.8, 91.8], pixel: [99.7, 89.2, 75.9] },
      },
    },
  },
  isic: {
    printedAs: 'ISIC',
    tables: [1],
    mean: {
      Crane: { image: null, pixel: [88.1, 75.3, 69.8] },
      'Crane+': { image: null, pixel: [90.6, 83.2, 73.4] },
    },
    classes: {},
  },
  'cvc-colondb': {
    printedAs: 'ColonDB',
    tables: [1],
    mean: {
      Crane: { image: null, pixel: [82.5, 73.0, 36.0] },
      'Crane+': { image: null, pixel: [86.0, 78.6, 40.2] },
    },
    classes: {},
  },
  'cvc-clinicdb': {
    printedAs: 'ClinicDB',
    tables: [1],
    mean: {
      Crane: { image: null, pixel: [84.0, 69.3, 42.5] },
      'Crane+': { image: null, pixel: [88.3, 74.5, 47.9] },
    },
    classes: {},
  },
  tn3k: {
    printedAs: 'TN3K',
    tables: [1],
    mean: {
      Crane: { image: null, pixel: [79.4, 48.8, 44.7] },
      'Crane+': { image: null, pixel: [80.4, 51.7, 45.5] },
    },
    classes: {},
  },
  headct: {
    printedAs: 'HeadCT',
    tables: [1],
    mean: {
      Crane: { image: [95.3, 95.7, 91.1], pixel: null },
      'Crane+': { image: [94.6, 95.4, 89.7], pixel: null },
    },
    classes: {},
  },
  brainmri: {
    printedAs: 'BrainMRI',
    tables: [1],
    mean: {
      Crane: { image: [95.4, 96.1, 93.9], pixel: null },
      'Crane+': { image: [96.3, 97.4, 93.5], pixel: null },
    },
    classes: {},
  },
  br35h: {
    printedAs: 'Br35H',
    tables: [1],
    mean: {
      Crane: { image: [96.3, 96.8, 91.7], pixel: null },
      'Crane+': { image: [96.4, 97.2, 91.0], pixel: null },
    },
    classes: {},
  },
};
