/** `crane-native test --paper-table`: an ablation of the paper with what it prints beside ours. */
import { CraneError } from '../errors.js';
import { learningOptions, paperGrid, refuseRowsOwn } from '../evaluate/paper-grid.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { type Context, say } from './context.js';
import { runGrid } from './test-grid.js';

/** @param isGiven whether the caller named an option himself */
export async function runPaperTable(
  context: Context,
  values: AllOptions,
  data: readonly string[],
  isGiven: (name: OptionName) => boolean,
): Promise<void> {
  const table = values.paperTable;
  const excluded = (['grid', 'methods', 'comparePaper'] as const).find(isGiven);
  if (excluded !== undefined)
    throw new CraneError('E_USAGE', `--paper-table takes no --${flagName(excluded)}`, {
      hint: 'it is a grid of its own, with the published rows of that table',
    });
  const grid = paperGrid({
    table,
    model: isGiven('model') ? values.model : undefined,
    preset: values.preset,
    method: values.method,
  });
  const { axis, cells, beside, experiment } = grid;
  const learned = learningOptions(experiment);
  if (learned.length > 0)
    throw new CraneError(
      'E_USAGE',
      `the rows of table ${table} differ in what is learned (${learned.join(', ')})`,
      {
        hint: `crane-native train LEARNED-FROM --paper-table ${table} --then-test ${data.join(' ')} --out ${values.out}`,
      },
    );
  refuseRowsOwn(grid, isGiven);
  say(context, beside.title);
  await runGrid(context, values, data, [axis], { cells, beside });
}
