/** How data sets are shown to people: counts, known layouts, what a check found. Pure text; the command prints it. */

import { leftOutText, type ScanReport } from '../scan/scan-account.js';
import { aligned } from '../terminal/aligned.js';
import type { Paint } from '../terminal/paint.js';
import { visible } from '../terminal/visible.js';
import type { CheckReport } from './check/check-data-set.js';
import { type Finding, findingTable } from './check/finding.js';
import type { Layout } from './layouts/layout.js';
import type { ClassSummary, Counts } from './summary.js';

/** Files named for each kind of finding; --json has all of them. */
const k_shown = 8;

export interface ShownSplit extends Counts {
  split: string;
  classes: readonly ClassSummary[];
}

/** A row for each class of each split that has pictures, and one for all of them. */
export function countsTable(splits: readonly ShownSplit[], paint: Paint): string {
  const rows: string[][] = [['split', 'class', 'normal', 'anomalous', 'with mask'].map(paint.dim)];
  for (const { split, classes, ...total } of splits) {
    for (const { className, ...counts } of classes)
      rows.push([split, visible(className), ...countCells(counts)]);
    if (classes.length > 1) rows.push([split, paint.dim('all'), ...countCells(total)]);
  }
  return aligned(rows, ['left', 'left', 'right', 'right', 'right']);
}

function countCells({ normal, anomalous, withMask }: Counts): string[] {
  return [normal, anomalous, withMask].map(String);
}

export function layoutsTable(layouts: readonly Layout[], paint: Paint): string {
  return layouts
    .map(({ name, title, shape, published }) => {
      const counts = published
        ? paint.dim(`  (the paper: ${published.normal} normal, ${published.anomalous} anomalous)`)
        : '';
      return `${name.padEnd(13)} ${title}${counts}\n${' '.repeat(14)}${paint.dim(shape)}\n`;
    })
    .join('');
}

export function reportText(report: CheckReport, paint: Paint): string {
  const splits = [
    { split: 'test', ...report.test },
    { split: 'train', ...report.train },
  ];
  const lines = [
    sourceLine(report),
    '',
    countsTable(
      splits.filter(({ classes }) => classes.length > 0),
      paint,
    ),
    '',
    ...accountLines(report.scan, paint),
    '',
  ];
  const { paper, notes } = report;
  if (paper?.isEqual)
    lines.push(
      `the counts are those of ${paper.name} in the paper: ${paper.normal} normal, ${paper.anomalous} anomalous`,
    );
  for (const note of notes) lines.push(`note: ${visible(note)}`);
  if (notes.length > 0 || paper?.isEqual) lines.push('');
  lines.push(...findingSections(report.findings, paint));
  lines.push(verdict(report, paint));
  return `${lines.join('\n')}\n`;
}

export function sourceLine({
  name,
  layout,
  layoutReason,
  normalKinds,
}: Pick<CheckReport, 'name' | 'layout' | 'layoutReason' | 'normalKinds'>): string {
  const normal = normalKinds.length === 0 ? '' : `; normal: ${normalKinds.map(visible).join(', ')}`;
  return `${visible(name)}: read as ${layout} (${visible(layoutReason)})${normal}`;
}

/** In full: here is where nothing is shortened to a line. */
function accountLines({ pictures, masks, leftOut }: ScanReport, paint: Paint): string[] {
  const told = leftOut.filter(({ reason }) => reason !== 'other-split');
  const lines = [
    `${counted(pictures, 'picture')} and ${counted(masks, 'mask')} found${told.length === 0 ? ', nothing left out' : '; left out:'}`,
  ];
  for (const entry of told) {
    lines.push(`  ${visible(leftOutText(entry))}`);
    const more = entry.count > entry.examples.length ? ', ...' : '';
    if (entry.count > 1) lines.push(paint.dim(`    ${visible(entry.examples.join(', '))}${more}`));
  }
  return lines;
}

function findingSections(findings: readonly Finding[], paint: Paint): string[] {
  const lines: string[] = [];
  for (const [kind, { severity, what }] of Object.entries(findingTable)) {
    const found = findings.filter((entry) => entry.kind === kind);
    if (found.length === 0) continue;
    const word = severity === 'fault' ? paint.red('fault') : paint.yellow('warning');
    lines.push(`${word}: ${what} (${found.length})`);
    for (const entry of found.slice(0, k_shown)) lines.push(`  ${visible(findingText(entry))}`);
    if (found.length > k_shown)
      lines.push(paint.dim(`  and ${found.length - k_shown} more; --json names all`));
    const { mend } = found[0]!;
    if (mend !== undefined) lines.push(`  -> ${visible(mend)}`);
    lines.push('');
  }
  return lines;
}

function findingText({ kind, paths, detail = '' }: Finding): string {
  const isGroup = kind === 'left-out' || kind === 'unused-ground-truth';
  const files = paths.join(isGroup ? ', ' : ' = ');
  return (isGroup ? [detail, files] : [files, detail]).filter((part) => part !== '').join(': ');
}

function verdict({ faults, warnings }: CheckReport, paint: Paint): string {
  const warned = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  return faults === 0 ? `no faults${warned}` : `${paint.red(counted(faults, 'fault'))}${warned}`;
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
