/**
 * Ablations: every combination of the values of some options, tested one after the other (Table 2 of the paper). A
 * combination is a run of its own below cells/, so that an interrupted grid goes on where it stood.
 */
import { existsSync } from 'node:fs';
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import type { OptionSpec } from '../options/kinds.js';
import { flagName, optionNames, options } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { OutputNames } from '../sinks/output-names.js';

export interface GridAxis {
  /** of an option, mostly */
  name: string;
  /** that its values set, where they are not one of its name */
  options?: string[];
  /** as written, one for each value */
  texts: string[];
  values: unknown[];
}

export interface GridCell {
  /** "eAttn=vv fusion=true" */
  label: string;
  /** fit for a path, unique in the grid */
  folder: string;
  texts: string[];
  choices: Partial<AllOptions>;
}

/** Groups whose options change what is computed. */
const k_groups = ['Engine', 'Method', 'Compatibility', 'Picture'];
const k_others: readonly string[] = ['preset'];
/** They change no figure. */
const k_excluded: readonly string[] = ['threads', 'device', 'maxPixels', 'batch', 'regions'];
const k_mostCells = 1000;

export function gridOptionNames(): OptionName[] {
  return optionNames.filter(
    (name) =>
      k_others.includes(name) ||
      (k_groups.includes(options[name].group) &&
        options[name].scope.includes('cli' as never) &&
        !k_excluded.includes(name)),
  );
}

/**
 * In `--grid a=1,2 b=3` the shell hands `b=3` over as one more input: words that look like an axis and are no file
 * belong to the grid.
 */
export function splitAxes(
  words: readonly string[],
  given: readonly string[],
): { data: string[]; axes: string[] } {
  const isAxis = (word: string) => /^[A-Za-z][\w.-]*=/.test(word) && !existsSync(word);
  return {
    data: words.filter((word) => !isAxis(word)),
    axes: [...given.flatMap((text) => text.trim().split(/\s+/)), ...words.filter(isAxis)],
  };
}

/** They decide nothing of what is learned, or are those of all trainings: seeds are counted by --seeds. */
const k_notLearned: readonly string[] = [
  ...['seed', 'seeds', 'saveEvery', 'cache', 'dryRun', 'measure', 'prompts'],
  ...['thenTest', 'keepAs'],
];

/** What a grid of trainings may vary: those too, and how is learned. */
export function learningGridNames(): OptionName[] {
  return [...optionNames.filter((name) => options[name].group === 'Training'), ...gridOptionNames()].filter(
    (name) => !k_notLearned.includes(name),
  );
}

/** @param known options that may be axes; @throws CraneError E_USAGE, naming axis and value */
export function parseGrid(
  texts: readonly string[],
  known: readonly OptionName[] = gridOptionNames(),
): GridAxis[] {
  const axes = texts.map((text) => parseAxis(text, known));
  const twice = axes.find(({ name }, at) => axes.findIndex((other) => other.name === name) !== at);
  if (twice) throw new CraneError('E_USAGE', `--grid names ${twice.name} twice`);
  const cells = axes.reduce((count, { values }) => count * values.length, 1);
  if (cells > k_mostCells)
    throw new CraneError('E_USAGE', `--grid has ${cells} combinations, at most ${k_mostCells} are tested`);
  return axes;
}

function parseAxis(text: string, known: readonly OptionName[]): GridAxis {
  const at = text.indexOf('=');
  const written = at < 0 ? text : text.slice(0, at);
  const name = known.find((option) => option === written || flagName(option) === written);
  if (!name) {
    const near = nearestName(written, known);
    throw new CraneError('E_USAGE', `--grid knows no option "${written}"`, {
      hint: near ? `did you mean ${near}?` : `it takes ${known.join(', ')}`,
    });
  }
  if (at < 0)
    throw new CraneError('E_USAGE', `Expected ${name}=VALUE,VALUE for --grid but received "${text}"`);
  const spec = options[name] as OptionSpec<unknown>;
  const texts = text.slice(at + 1).split(',');
  const values = texts.map((value) => {
    // Commas stand between values: a list within a value has + instead.
    const read = spec.read(value) ?? spec.read(value.replaceAll('+', ','));
    if (read === undefined)
      throw new CraneError(
        'E_USAGE',
        `Expected ${spec.expected} for ${name} in --grid but received "${value}"`,
      );
    return read;
  });
  const repeated = texts.find((value, index) => texts.indexOf(value) !== index);
  if (repeated !== undefined) throw new CraneError('E_USAGE', `--grid has ${name}=${repeated} twice`);
  return { name, texts, values };
}

/** Cells with names of their own. */
export function namedCells(rows: readonly { label: string; choices: Partial<AllOptions> }[]): GridCell[] {
  const folders = new OutputNames();
  return rows.map(({ label, choices }) => ({
    label,
    folder: folders.claim(folderName(label)),
    texts: [label],
    choices,
  }));
}

/** All combinations; the last axis changes fastest. */
export function gridCells(axes: readonly GridAxis[]): GridCell[] {
  let cells: Pick<GridCell, 'texts' | 'choices'>[] = [{ texts: [], choices: {} }];
  for (const { name, texts, values } of axes) {
    cells = cells.flatMap((cell) =>
      values.map((value, at) => ({
        texts: [...cell.texts, texts[at]!],
        choices: { ...cell.choices, [name]: value },
      })),
    );
  }
  const folders = new OutputNames();
  return cells.map(({ texts, choices }) => {
    const label = texts.map((text, at) => `${axes[at]!.name}=${text}`).join(' ');
    return { label, folder: folders.claim(folderName(label)), texts, choices };
  });
}

/** Values may be paths; and no ending may be taken for that of a file. */
function folderName(label: string): string {
  return label.replace(/[\\/]/g, '_').replace(/\./g, '_');
}

/** Options that are fixed when an engine is loaded: cells with the same ones share one. */
export function engineKey({ choices }: GridCell): string {
  // A method decides how the towers run.
  const own = Object.entries(choices).filter(
    ([name]) => name === 'method' || options[name as OptionName].group === 'Engine',
  );
  return JSON.stringify(own);
}
