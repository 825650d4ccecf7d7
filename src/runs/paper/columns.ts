/** The columns of the paper's tables by what is tested: Crane's own (tables.ts), and those of the systems beside it. */
import { methodName } from '../../methods/descriptor.js';
import type { TestSettings } from '../test-run.js';
import compared from './compared-systems.json' with { type: 'json' };
import { presets } from './presets.js';
import { type PrintedRow, printedSets } from './tables.js';

export interface PrintedColumn {
  /** as the tables head it */
  title: string;
  mean: PrintedRow;
  classes: Readonly<Record<string, PrintedRow>>;
}

interface ComparedSystem {
  title: string;
  /** by the names of the layouts; what the paper prints no row of is left out */
  sets: Readonly<Record<string, { mean: Loose; classes: Readonly<Record<string, Loose>> }>>;
}
/** As JSON has a row: a list has no known length there. */
interface Loose {
  image: readonly number[] | null;
  pixel: readonly number[] | null;
}

const systems: Readonly<Record<string, ComparedSystem>> = compared;

/** @returns undefined where the paper prints nothing of this set for this method */
export function printedColumn(set: string, settings: TestSettings): PrintedColumn | undefined {
  const method = methodName(settings.method);
  if (method === 'crane') return craneColumn(set, settings);
  if (!Object.hasOwn(systems, method)) return undefined;
  const { title, sets } = systems[method]!;
  const printed = Object.hasOwn(sets, set) ? sets[set] : undefined;
  if (!printed) return undefined;
  const classes = Object.entries(printed.classes).map(([name, row]) => [name, rowOf(row)] as const);
  return { title, mean: rowOf(printed.mean), classes: Object.fromEntries(classes) };
}

function craneColumn(set: string, { preset, method }: TestSettings): PrintedColumn {
  const title = preset !== null ? presets[preset].column : method['dAttn'] ? 'Crane+' : 'Crane';
  const { mean, classes } = printedSets[set]!;
  return {
    title,
    mean: mean[title],
    classes: Object.fromEntries(Object.entries(classes).map(([name, columns]) => [name, columns[title]])),
  };
}

function rowOf({ image, pixel }: Loose): PrintedRow {
  return { image: image && triple(image), pixel: pixel && triple(pixel) };
}

function triple([a = Number.NaN, b = Number.NaN, c = Number.NaN]: readonly number[]) {
  return [a, b, c] as const;
}
