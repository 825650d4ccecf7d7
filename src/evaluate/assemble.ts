/** From finished classes to the run that tables and reports are made from. Computes no metric of pixels. */
import type { NativeAddon } from '../addon/native.js';
import { evaluationOf } from '../metrics/means.js';
import type { Machine } from '../runs/machine.js';
import { compareWithPaper } from '../runs/paper/compare.js';
import { perfect } from '../runs/plausibility.js';
import {
  isScored,
  type LearnedOn,
  type TestedClass,
  type TestedDataSet,
  type TestRun,
  type TestSettings,
} from '../runs/test-run.js';
import { versionsOf } from '../runs/versions.js';
import { warningsOf } from '../runs/warnings.js';
import { intervalsOfSet } from './bootstrap.js';
import type { FinishedClass } from './finished-class.js';
import { isMutual, mutualNote, mutualWarnings } from './mutual-class.js';
import type { TestData } from './test-data.js';

export interface FinishedSet {
  data: TestData;
  learnedOn: LearnedOn | null;
  classes: FinishedClass[];
}

export async function assembleRun(
  sets: readonly FinishedSet[],
  settings: TestSettings,
  {
    comparePaper,
    machine,
    addon,
  }: { comparePaper: boolean; machine: Machine; addon: Pick<NativeAddon, 'imageIntervals'> },
): Promise<TestRun> {
  const dataSets = await Promise.all(sets.map((set) => assembleSet(set, settings, comparePaper, addon)));
  const model = sets.flatMap(({ classes }) => classes).find((of) => of.model !== null)?.model;
  return {
    format: 1,
    settings: { ...settings, model: model ?? settings.model },
    dataSets,
    warnings: [
      ...warningsOf(dataSets, settings.prompts),
      ...(isMutual(settings.method)
        ? dataSets.flatMap((set) => mutualWarnings(labelledIn(set), settings.method))
        : []),
    ],
    versions: versionsOf(machine),
    machine: { ...machine },
  };
}

function labelledIn({ name, classes }: TestedDataSet) {
  return {
    name,
    classes: classes.map(({ className, pictures }) => ({
      className,
      labels: pictures.filter(isScored).map(({ isAnomalous }) => isAnomalous),
    })),
  };
}

const k_notPublished = "the paper's tables have no row of it, so there is nothing to compare with";

/** Each set of such a run is read so, also one of which nothing is published. */
function readingNote({ maskGrey, exif }: TestSettings): string[] {
  const read = [
    ...(maskGrey ? ['masks are anomalous above 0 as grey (compat.maskGrey)'] : []),
    ...(exif ? [] : ['pictures are not turned by EXIF (compat.exif false)']),
  ];
  return read.length === 0
    ? []
    : [`read as the reference reads files, for the comparison with the paper: ${read.join(', ')}`];
}

async function assembleSet(
  { data, learnedOn, classes }: FinishedSet,
  settings: TestSettings,
  comparePaper: boolean,
  addon: Pick<NativeAddon, 'imageIntervals'>,
): Promise<TestedDataSet> {
  const { set, name } = data;
  const { bootstrap } = settings;
  const maskValues = set.items[0]?.maskValues;
  const intervals = bootstrap && (await intervalsOfSet(name, classes, bootstrap, addon));
  const tested = classes.map((of, at) => assembleClass(of, intervals?.classes[at] ?? null));
  const paper = comparePaper ? compareWithPaper(set.published ?? null, settings) : null;
  return {
    name,
    published: set.published ?? null,
    root: set.root,
    layout: set.layout,
    ...(maskValues === undefined ? {} : { maskValues }),
    scan: set.scan,
    learnedOn,
    classes: tested,
    mean: evaluationOf(classes.map(({ metrics }) => metrics)).mean,
    intervals: intervals?.mean ?? null,
    paper,
    notes: [
      ...(isMutual(settings.method) ? [mutualNote(settings.method)] : []),
      ...set.warnings,
      ...perfect({ classes: tested }),
      ...(comparePaper ? readingNote(settings) : []),
      ...(comparePaper && !paper ? [k_notPublished] : []),
    ],
  };
}

function assembleClass(
  { className, metrics, pictures, examples }: FinishedClass,
  intervals: TestedClass['intervals'],
): TestedClass {
  const failed = pictures.filter((picture) => !isScored(picture)).length;
  return { className, metrics, failed, intervals, pictures, examples };
}
