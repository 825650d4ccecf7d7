/**
 * The paper's tables whose rows are settings of one system: 2 (ablations), 5 (learned on medical pictures) and 6 (spatial
 * sources), as printed, in percent (arXiv 2504.11055). A row says which options make it; what else decides its figures is the
 * preset's. Tables 1 and 7 to 18 compare systems: tables.ts, compared-systems.json.
 */
import type { CraneVariant } from '../../models/model-names.js';
import type { PaperTableName, PresetName } from '../../options/preset-names.js';
import type { PictureChoices, TrainChoices } from '../../options/types.js';
import medical from './learned-on-medical.json' with { type: 'json' };
import type { PrintedFigures } from './published.js';

export interface ExperimentRow {
  /** as printed */
  label: string;
  /** what is tested */
  model: CraneVariant | { method: string };
  /** which parts are on */
  choices: Pick<PictureChoices, 'fusion' | 'eAttn' | 'dAttn' | 'dAttnMaps'>;
  /** what is learned otherwise */
  learning?: Pick<TrainChoices, 'guidance'>;
  /** by the names of the layouts, and that of the average */
  printed: Readonly<Record<string, PrintedFigures>>;
}

export interface PaperExperiment {
  /** of the paper */
  title: string;
  preset: PresetName;
  rows: readonly ExperimentRow[];
  /** printed over several sets: the name in `printed`, and those sets; a figure that a set lacks is left out */
  average?: { name: string; sets: readonly string[] };
  /** what prompts were learned on; undefined: MVTec AD, of MVTec AD itself VisA */
  learnedOn?: string;
  /** what is to be known of the table, a sentence each */
  notes: readonly string[];
}

/** Two sets, each with AUROC and F1max of the pixels, then of the pictures. */
type Pair = readonly [auroc: number, f1Max: number];
function both(pixelMvtec: Pair, pixelVisa: Pair, imageMvtec: Pair, imageVisa: Pair) {
  return { mvtec: set(imageMvtec, pixelMvtec), visa: set(imageVisa, pixelVisa) };
}
function set(image: Pair, pixel?: Pair): PrintedFigures {
  const of = ([auroc, f1Max]: Pair) => ({ auroc, f1Max });
  return { image: of(image), pixel: pixel ? of(pixel) : null };
}

function triples(
  [auroc, ap, f1Max]: readonly number[],
  [pixelAuroc, aupro, pixelF1Max]: readonly number[],
): PrintedFigures {
  return {
    image: auroc === undefined ? null : { auroc, ap: ap!, f1Max: f1Max! },
    pixel: pixelAuroc === undefined ? null : { auroc: pixelAuroc, aupro: aupro!, f1Max: pixelF1Max! },
  };
}

type Loose = Readonly<Record<string, readonly number[]>>;
function byNames(image: Loose, pixel: Loose): Record<string, PrintedFigures> {
  const names = [...new Set([...Object.keys(image), ...Object.keys(pixel)])];
  return Object.fromEntries(names.map((name) => [name, triples(image[name] ?? [], pixel[name] ?? [])]));
}

const k_ablation =
  "Table 2: no default row equals table 1's Crane+ (MVTec AD image AUROC 94.7 there, 93.9 in table 1): other trainings or settings, which the paper does not say.";

/** What the ablations leave on. */
const all = both([92.1, 44.7], [95.5, 29.2], [94.7, 94.3], [82.6, 80.6]);

const k_industrial = ['mvtec', 'visa', 'mpdd', 'btad', 'sdd', 'dagm', 'dtd'];

export const paperExperiments: Readonly<Record<PaperTableName, PaperExperiment>> = {
  '2a': {
    title: 'table 2 a: local-to-global fusion of the score',
    preset: 'crane+',
    rows: [
      {
        label: 'without',
        model: 'crane+',
        choices: { fusion: false },
        printed: { mvtec: set([90.7, 92.3]), visa: set([79.2, 78.9]) },
      },
      {
        label: 'with (default)',
        model: 'crane+',
        choices: { fusion: true },
        printed: { mvtec: set([94.7, 94.3]), visa: set([82.6, 80.6]) },
      },
    ],
    notes: [k_ablation],
  },
  '2b': {
    title: 'table 2 b: context guidance of the prompts',
    preset: 'crane+',
    rows: [
      {
        label: 'without',
        model: 'crane+',
        choices: {},
        learning: { guidance: 'none' },
        printed: both([91.7, 43.5], [94.8, 28.1], [94.0, 93.3], [81.9, 80.2]),
      },
      {
        label: 'with (default)',
        model: 'crane+',
        choices: {},
        learning: { guidance: 'pad-suffix' },
        printed: all,
      },
    ],
    notes: [k_ablation],
  },
  '2c': {
    title: 'table 2 c: self-correlations of E-Attn',
    preset: 'crane+',
    rows: (
      [
        ['kk', both([91.6, 43.5], [94.9, 27.9], [93.6, 93.7], [82.2, 80.4])],
        ['vv', both([92.1, 43.8], [95.0, 26.7], [93.8, 93.3], [82.4, 80.7])],
        ['qq', both([91.8, 43.9], [95.0, 29.4], [94.1, 94.0], [80.2, 79.4])],
        ['qq+kk', both([91.6, 44.0], [95.2, 29.3], [94.0, 93.9], [82.3, 80.5])],
        ['qq+kk+vv', both([92.4, 44.7], [95.5, 29.2], [94.7, 94.3], [82.6, 80.6])],
      ] as const
    ).map(([eAttn, printed]) => ({
      label: eAttn === 'qq+kk+vv' ? `${eAttn} (default)` : eAttn,
      model: 'crane+',
      choices: { eAttn },
      printed,
    })),
    notes: [
      k_ablation,
      'Table 2: MVTec AD pixel AUROC of the default is 92.4 in (c) and 92.1 in (b) and (d).',
    ],
  },
  '2d': {
    title: 'table 2 d: which attention makes the maps',
    preset: 'crane+',
    rows: [
      {
        label: 'E-Attn (CLIP-L14)',
        model: 'crane+',
        choices: { dAttn: false },
        printed: both([91.2, 40.8], [94.3, 29.5], [93.7, 93.9], [82.7, 80.4]),
      },
      {
        label: 'D-Attn (DINOv1-B8)',
        model: 'crane+dino',
        choices: { dAttnMaps: 'dattn' },
        printed: both([91.5, 43.7], [94.0, 27.1], [91.1, 92.9], [78.4, 78.9]),
      },
      {
        label: 'D-Attn (DINOv2-B14)',
        model: 'crane+',
        choices: { dAttnMaps: 'dattn' },
        printed: both([92.0, 42.7], [93.7, 26.7], [91.6, 92.6], [78.3, 78.3]),
      },
      {
        label: 'Both CLIP-L14 + DINOv2-B14 (default)',
        model: 'crane+',
        choices: { dAttnMaps: 'both' },
        printed: all,
      },
    ],
    notes: [k_ablation],
  },
  '5': {
    title: 'table 5: prompts learned on medical pictures',
    preset: 'crane+-medical',
    learnedOn: 'medical pictures',
    rows: medical.map(({ label, method, image, pixel }) => ({
      label,
      model: method === 'crane' ? 'crane+' : { method },
      choices: {},
      printed: byNames(image, pixel),
    })),
    average: {
      name: 'average',
      sets: ['headct', 'brainmri', 'br35h', 'isic', 'cvc-colondb', 'cvc-clinicdb', 'tn3k'],
    },
    notes: [
      'Table 5: the paper does not say here which medical pictures, epoch and settings it learned with; the settings are those of its medical rows of table 1.',
      "Table 5: WinCLIP's and AnoVL's rows, which learn nothing, are those of table 1.",
    ],
  },
  '6': {
    title: 'table 6: spatial sources of Crane+',
    preset: 'crane+',
    rows: [
      {
        label: 'SAM-ViT-B',
        model: 'crane+sam',
        choices: {},
        printed: { average: triples([91.7, 91.7, 89.9], [95.7, 89.4, 52.3]) },
      },
      {
        label: 'DINOv2-B14',
        model: 'crane+',
        choices: {},
        printed: { average: triples([92.5, 93.5, 90.1], [96.4, 92.3, 54.0]) },
      },
    ],
    average: { name: 'average', sets: k_industrial },
    notes: [
      'Table 6: it also prints 2.65 (SAM) and 3.38 (DINOv2) pictures a second on an A6000; bench --model tells what this machine does.',
    ],
  },
};
