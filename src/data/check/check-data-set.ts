/** Looks at every file of a data set, both splits: what `data check` does. */
import { availableParallelism } from 'node:os';
import { CraneError } from '../../errors.js';
import { contentHash } from '../../files/content-hash.js';
import { ByteBudget } from '../../images/byte-budget.js';
import { type Reading, readingOf } from '../../images/reading.js';
import { defaultOf } from '../../options/table.js';
import type { DataChoices } from '../../options/types.js';
import { type LeftOutReason, leftOutText, type ScanReport } from '../../scan/scan-account.js';
import type { DataSet } from '../data-set.js';
import { findDataSource } from '../data-source.js';
import { eachBounded } from '../each-bounded.js';
import type { PathFault } from '../place-entries.js';
import { type ClassSummary, type Counts, summarise } from '../summary.js';
import { checkItem } from './check-item.js';
import { type Finding, finding, findingTable } from './finding.js';
import { mendOf } from './mend.js';
import { comparePaper, type PaperCounts } from './paper-counts.js';
import { type HashedItem, samePictures } from './same-pictures.js';

export interface CheckOptions extends DataChoices {
  layout: string;
  maxPixels: number;
  /** default: that of scoring without options */
  reading?: Reading;
  stop: AbortSignal;
  /** called once with both splits, as they were read */
  onSets?(sets: readonly DataSet[]): void;
  /** called once with the number of pictures */
  onCount(pictures: number): void;
  /** called for each picture that was looked at */
  onPicture(): void;
}

export interface CheckedSplit extends Counts {
  classes: ClassSummary[];
}

export interface CheckReport {
  name: string;
  root: string;
  layout: string;
  layoutReason: string;
  /** names of the kinds that are taken as normal */
  normalKinds: string[];
  test: CheckedSplit;
  train: CheckedSplit;
  /** the paper's counts of the test split, where the set is one of the paper's */
  paper: PaperCounts | null;
  faults: number;
  warnings: number;
  /** faults first, then in the order of the table of findings and of the items */
  findings: Finding[];
  /** of everything below the root */
  scan: ScanReport;
  /** what follows for training and testing, without being wrong */
  notes: string[];
}

/** Pictures at once: decoding has threads of its own, and more files in flight only wait for the disk. */
const k_mostAtOnce = 8;

/** @throws CraneError E_DATA_NOT_FOUND, E_DATA_LAYOUT, E_DATA_META, E_DATA_EMPTY, E_CANCELLED, E_USAGE */
export async function checkDataSet(path: string, options: CheckOptions): Promise<CheckReport> {
  const source = await findDataSource(path, options);
  const [test, train] = [await source.open('test'), await source.open('train')];
  const opened = [test, train];
  const count = opened.reduce((sum, { set }) => sum + set.items.length, 0);
  const pathFaults = opened.flatMap(({ faults }) => faults).map(toFinding);
  if (count + pathFaults.length === 0)
    throw new CraneError('E_DATA_EMPTY', `${path}: no pictures in layout ${source.layout}`);

  options.onSets?.(opened.map(({ set }) => set));
  options.onCount(count);
  const looked = await lookAtFiles(
    opened.map(({ set }) => set),
    options,
  );
  const scan = await source.account();
  const compared = comparePaper(test.set, source.expected);
  const findings = inOrder([
    ...pathFaults,
    ...looked.findings,
    ...samePictures(looked.hashed),
    ...compared.findings,
    ...leftOutFindings(scan),
    ...opened.flatMap(({ set }) => set.warnings).map((detail) => finding('reading', [], { detail })),
  ]);
  for (const found of findings) found.mend = mendOf(found, source.root);
  const faults = findings.filter(({ severity }) => severity === 'fault').length;
  return {
    name: source.name,
    root: source.root,
    layout: source.layout,
    layoutReason: test.set.layoutReason,
    normalKinds: [
      ...new Set(summarise([test.set, train.set]).sets.flatMap(({ normalKinds }) => normalKinds)),
    ],
    test: splitOf(test.set),
    train: splitOf(train.set),
    paper: compared.paper ?? null,
    faults,
    warnings: findings.length - faults,
    findings,
    scan,
    notes: [...compared.notes, ...notesOf(test.set)],
  };
}

async function lookAtFiles(
  sets: readonly DataSet[],
  { maxPixels, reading = readingOf(), stop, onPicture }: CheckOptions,
): Promise<{ findings: Finding[]; hashed: HashedItem[] }> {
  const items = sets.flatMap(({ items: list, split }) => list.map((item) => ({ item, split })));
  const budget = new ByteBudget(defaultOf('maxDecodedBytes'));
  let done = 0;
  const results = await eachBounded(
    items,
    Math.min(k_mostAtOnce, availableParallelism() + 1),
    async (entry) => {
      if (stop.aborted)
        throw new CraneError('E_CANCELLED', `interrupted after ${done} of ${items.length} pictures`);
      const ticket = budget.open();
      try {
        const findings = await checkItem(entry.item, {
          maxPixels,
          reading,
          reserve: (bytes) => ticket.take(bytes),
        });
        const isDamaged = findings.some(({ kind }) => kind === 'damaged-picture');
        const hash = isDamaged ? undefined : await contentHash(entry.item.image);
        done++;
        onPicture();
        return { findings, hashed: { ...entry, hash } };
      } finally {
        ticket.close();
      }
    },
  );
  return {
    findings: results.flatMap(({ findings }) => findings),
    hashed: results.map(({ hashed }) => hashed),
  };
}

function toFinding({ fault, path, className, detail }: PathFault): Finding {
  return finding(fault, [path], { className, ...(detail === undefined ? {} : { detail }) });
}

/** Left out without being rubbish: somebody may miss it. */
const k_missed: readonly LeftOutReason[] = [
  'kind-not-read',
  'too-deep',
  'outside-layout',
  'no-label',
  'not-in-index',
  'no-split',
  'link',
  'broken-link',
  'name-not-utf8',
];

function leftOutFindings({ leftOut }: ScanReport): Finding[] {
  return leftOut.flatMap((entry) => {
    const { reason, examples } = entry;
    if (reason === 'unused-ground-truth')
      return finding('unused-ground-truth', examples, { detail: leftOutText(entry) });
    return k_missed.includes(reason) ? finding('left-out', examples, { detail: leftOutText(entry) }) : [];
  });
}

/** By the table, which names faults first; findings of a kind keep their order. */
function inOrder(findings: Finding[]): Finding[] {
  return Object.keys(findingTable).flatMap((kind) => findings.filter((entry) => entry.kind === kind));
}

function splitOf(set: DataSet): CheckedSplit {
  const { classes, normal, anomalous, withMask, withoutMask } = summarise([set]).sets[0]!;
  return { classes, normal, anomalous, withMask, withoutMask };
}

/** What the figures of a test will lack (data.md "What `data check` finds"). */
function notesOf(test: DataSet): string[] {
  const { classes, anomalous, withMask, withoutMask } = summarise([test]).sets[0]!;
  const notes: string[] = [];
  const oneLabel = classes.filter(({ hasOneLabel }) => hasOneLabel).map(({ className }) => className);
  if (oneLabel.length > 0)
    notes.push(`pictures of one label only, so no image-level figures: ${oneLabel.join(', ')}`);
  if (anomalous > 0 && withMask === 0) notes.push('no masks, so no pixel-level figures');
  else if (withoutMask > 0) notes.push(`${withoutMask} of ${anomalous} anomalous pictures have no mask`);
  return notes;
}
