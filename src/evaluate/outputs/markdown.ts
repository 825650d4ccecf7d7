/** results.md. */
import type { TestRun } from '../../runs/test-run.js';
import { conventionNotes, remarkNotes, undefinedNotes } from './footnotes.js';
import { paperNotes, paperTable, paperText, paperTitle } from './paper-rows.js';
import { percent, type Row, tablesOf } from './rows.js';
import { intervalText } from './text-table.js';

export function markdown(run: TestRun): string {
  const tables = tablesOf(run);
  const { columns, sets, overall } = tables;
  const head = [
    'class',
    'normal',
    'anomalous',
    ...columns.map(({ level, title, detail }) => `${level} ${title}${detail && ` ${detail}`}`),
  ];
  const figures = ({ label, normal, anomalous, cells }: Row) => [
    escapeMarkdown(label),
    normal ?? '',
    anomalous ?? '',
    ...cells.map((cell) => percent(cell) + (cell.interval ? ` (${intervalText(cell)})` : '')),
  ];
  const blocks = [
    '# Results',
    ...run.warnings.map((text) => `> **Warning:** ${escapeMarkdown(text)}`),
    ...sets.map(({ set, rows }) => `## ${escapeMarkdown(set.name)}\n\n${grid(head, rows.map(figures))}`),
    ...(overall ? [`## Together\n\n${grid(head, [figures(overall)])}`] : []),
    ...run.dataSets.flatMap((set) => {
      const table = paperTable(set, columns);
      if (!table) return [];
      const rows = table.rows.map(({ label, isDoubtful, cells }) => [
        escapeMarkdown(label) + (isDoubtful ? ' ?' : ''),
        ...cells.map(paperText),
      ]);
      return [
        `## ${escapeMarkdown(paperTitle(table.comparison))}`,
        grid(['class', ...table.columns.map(({ level, title }) => `${level} ${title}`)], rows),
        list(paperNotes(table.comparison)),
      ];
    }),
    '## Notes',
    list([...undefinedNotes(tables), ...remarkNotes(run), ...conventionNotes(run)]),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

export function grid(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, at) => (at === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function list(texts: readonly string[]): string {
  return texts.map((text) => `- ${escapeMarkdown(text)}`).join('\n');
}

/** Names of classes and files may hold anything: here they are text, whatever they hold. */
export function escapeMarkdown(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').replace(/[\\`*_[\]<>|~#]/g, '\\$&');
}
