// Writes docs/reference/options.md and errors.md from the tables in src: npm run build:ts && node scripts/make-reference.mjs [--check]
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const k_exitMeanings = {
  1: 'unexpected',
  2: 'usage',
  3: 'some inputs failed, the others are done',
  4: 'model or weights',
  5: 'environment: libtorch, device, files',
  130: 'interrupted; what was done is saved',
};

/** @param options THE table of src/options/; @param flagName its spelling for the shell */
export function optionsPage(options, flagName) {
  const entries = Object.entries(options);
  const groups = [...new Set(entries.map(([, spec]) => spec.group))];
  const lines = [
    '# Options',
    '',
    'Made from `src/options/`. One option has one name: `eAttn` in the library and in HTTP, `--e-attn` in the shell.',
    '`serve` stands for the flags and the configuration file of the service, HTTP for what a request may say: names there, never paths.',
    '',
  ];
  for (const group of groups) {
    lines.push(
      `## ${group}`,
      '',
      '| option | flag | takes | default | where | what |',
      '| --- | --- | --- | --- | --- | --- |',
    );
    for (const [name, spec] of entries.filter(([, entry]) => entry.group === group)) {
      const flag = spec.scope.some((scope) => scope === 'cli' || scope === 'serve')
        ? `\`--${flagName(name)}\``
        : '';
      const library = spec.calls?.length ? spec.calls.map((call) => `\`${call}\``).join(' ') : '';
      const http = spec.scope.includes('http') ? 'HTTP' : '';
      const service = spec.scope.includes('serve') ? '`serve`' : '';
      const where = [spec.scope.includes('cli') ? 'shell' : '', service, library, http]
        .filter((part) => part !== '')
        .join(', ');
      const option = spec.scope.some((scope) => scope !== 'cli') ? `\`${name}\`` : '';
      const cells = [option, flag, spec.expected, shownDefault(spec), where, spec.help];
      lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
    }
    lines.push('');
  }
  return lines.join('\n');
}

/** @param errorTable the table of src/errors.ts */
export function errorsPage(errorTable) {
  const lines = [
    '# Errors',
    '',
    'Made from `src/errors.ts`. Every error is a `CraneError` with `code`, `message`, mostly a `hint`, and its `cause`.',
    '',
  ];
  lines.push('| exit code | means |', '| --- | --- |', '| 0 | all well |');
  for (const [code, meaning] of Object.entries(k_exitMeanings)) lines.push(`| ${code} | ${meaning} |`);
  lines.push('', '| code | exit code | HTTP status | what |', '| --- | --- | --- | --- |');
  for (const [code, { exit, http, what }] of Object.entries(errorTable))
    lines.push(`| \`${code}\` | ${exit} | ${http} | ${what} |`);
  return `${lines.join('\n')}\n`;
}

function shownDefault({ default: value, defaultText }) {
  if (defaultText !== undefined) return defaultText;
  return value === undefined ? '' : `\`${typeof value === 'object' ? JSON.stringify(value) : value}\``;
}

async function main() {
  const { options, flagName } = await import('../dist/options/table.js');
  const { errorTable } = await import('../dist/errors.js');
  const folder = new URL('../docs/reference/', import.meta.url);
  const pages = { 'options.md': optionsPage(options, flagName), 'errors.md': errorsPage(errorTable) };
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(pages)) {
    const path = new URL(name, folder);
    if (process.argv.includes('--check')) {
      if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
        console.error(`docs/reference/${name} is stale: node scripts/make-reference.mjs`);
        process.exitCode = 1;
      }
    } else await writeFile(path, text);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
