/** report.html of several methods: their tables and their maps of the same pictures. */
import { join } from 'node:path';
import type { NativeAddon } from '../addon/native.js';
import { loadOptional } from '../files/optional-packages.js';
import { writeWhole } from '../files/write-whole.js';
import type { GridAxis } from './grid.js';
import { type GridRun, gridSections } from './grid-table.js';
import type { MethodsAxis } from './methods-axis.js';
import { shownInAll } from './shown-pictures.js';

export interface MethodsReport {
  out: string;
  axis: GridAxis;
  runs: readonly GridRun[];
  leftOut: MethodsAxis['leftOut'];
  addon: NativeAddon;
  signal?: AbortSignal | undefined;
}

/** The same runs give the same bytes. @returns the path of the page; @throws CraneError E_IO_WRITE, E_CANCELLED */
export async function writeMethodsReport({
  out,
  axis,
  runs,
  leftOut,
  addon,
  signal,
}: MethodsReport): Promise<string> {
  const { comparedPictures, comparePage } = await loadOptional(
    'the report of several methods',
    ['d3-scale', 'd3-shape'],
    async () => ({
      ...(await import('../pages/methods/compared-pictures.js')),
      ...(await import('../pages/methods/compare-page.js')),
    }),
  );
  const compared = runs.map(({ cell, run }) => ({
    label: cell.texts.join(' '),
    folder: join(out, 'cells', cell.folder),
    run,
  }));
  const { warnings, notes, sections } = gridSections([axis], runs);
  const pictures = await comparedPictures(compared, shownInAll, { addon, signal });
  const path = join(out, 'report.html');
  const page = comparePage({
    title: `${axis.texts.length} methods side by side`,
    tables: sections,
    notes,
    runs: compared,
    pictures,
    warnings: [...warnings, ...leftOut.map(({ name, why }) => `${name} is left out: ${why}.`)],
  });
  await writeWhole(
    path,
    [...page].map((piece) => Buffer.from(String(piece))),
    { overwrite: true },
  );
  return path;
}
