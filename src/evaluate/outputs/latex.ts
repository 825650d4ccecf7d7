/** results.tex: one booktabs table a data set, to be \input. */
import type { TestRun } from '../../runs/test-run.js';
import { conventionNotes, undefinedNotes } from './footnotes.js';
import { percent, type Row, type RunTables, tablesOf } from './rows.js';

export function latex(run: TestRun): string {
  const tables = tablesOf(run);
  const notes = [...run.warnings.map((text) => `WARNING: ${text}`), ...conventionNotes(run)];
  const blocks = [
    // A comment ends with its line: nothing of a name may go on after it.
    ...[...notes, ...undefinedNotes(tables), 'needs \\usepackage{booktabs}'].map(
      (text) => `% ${text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')}`,
    ),
    ...tables.sets.map(({ set, rows }) =>
      tabular(rows, tables, `${set.name}${set.learnedOn ? ' (the prompts were learned on it)' : ''}`),
    ),
    ...(tables.overall ? [tabular([tables.overall], tables, 'all data sets')] : []),
  ];
  return `${blocks.join('\n')}\n`;
}

function tabular(rows: readonly Row[], { columns }: RunTables, caption: string): string {
  const images = columns.filter(({ level }) => level === 'image').length;
  const pixels = columns.length - images;
  const line = ({ label, cells }: Row) => `${[escapeLatex(label), ...cells.map(percent)].join(' & ')} \\\\`;
  const classes = rows.filter(({ kind }) => kind === 'class');
  const means = rows.filter(({ kind }) => kind !== 'class');
  return [
    '\\begin{table}',
    '\\centering',
    `\\caption{${escapeLatex(caption)}}`,
    `\\begin{tabular}{l${'r'.repeat(columns.length)}}`,
    '\\toprule',
    `& \\multicolumn{${images}}{c}{image} & \\multicolumn{${pixels}}{c}{pixel} \\\\`,
    `\\cmidrule(lr){2-${images + 1}} \\cmidrule(lr){${images + 2}-${columns.length + 1}}`,
    `class & ${columns.map(({ title, detail }) => escapeLatex(title + (detail && ` ${detail}`))).join(' & ')} \\\\`,
    '\\midrule',
    ...classes.map(line),
    ...(classes.length > 0 && means.length > 0 ? ['\\midrule'] : []),
    ...means.map(line),
    '\\bottomrule',
    '\\end{tabular}',
    '\\end{table}',
  ].join('\n');
}

const k_signs: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
};

export function escapeLatex(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]/gu, ' ')
    .replace(/[\\~^<>|&%$#_{}]/g, (sign) => k_signs[sign] ?? `\\${sign}`);
}
