/** `crane-native test --methods`: several methods on the same data, one table, their maps side by side. */
import { CraneError } from '../errors.js';
import type { GridCell } from '../evaluate/grid.js';
import { methodsAxis, settingsFor, withoutWords } from '../evaluate/methods-axis.js';
import { writeMethodsReport } from '../evaluate/methods-report.js';
import { defaultMethod, needsBank, takesMemory } from '../methods/registry.js';
import { findModel } from '../models/find-model.js';
import { knownTokens } from '../models/known-tokens.js';
import type { AllOptions } from '../options/types.js';
import { type Context, say } from './context.js';
import { runGrid } from './test-grid.js';

export async function runMethods(
  context: Context,
  values: AllOptions,
  data: readonly string[],
): Promise<void> {
  for (const [name, hint] of [
    ['method', 'name it in --methods'],
    ['grid', 'a grid may have the axis method=...'],
    ['preset', 'presets are settings of one method'],
    ['normals', 'a bank is of one method: --normals-from FOLDER learns for each'],
    ['prompts', 'what was learned of each method are sets of the model, with their method: docs/methods.md'],
  ] as const) {
    if (values[name] !== undefined)
      throw new CraneError('E_USAGE', `--methods does not go with --${name}`, { hint });
  }
  const model = await findModel(values.model, context.env);
  const { addon } = await context.loadAddon();
  const { axis, cells, leftOut } = methodsAxis(values.methods, model, {
    hasNormals: values.normalsFrom !== undefined,
    speechless: await withoutWords(await knownTokens(addon, model)),
  });
  for (const { choices } of cells) settingsFor(values, choices, cells);
  for (const { name, why } of leftOut) say(context, `${name} is left out: ${why}`);
  sayCompared(context, values, cells);
  await runGrid(context, values, data, [axis], {
    keepsShown: true,
    cells,
    valuesOf: (choices) => settingsFor(values, choices, cells),
    finish: async (runs) => {
      if (!values.report) return;
      const path = await writeMethodsReport({
        out: values.out!,
        axis,
        runs,
        leftOut,
        addon,
        signal: context.stop,
      });
      say(context, `report: ${path}`);
    },
  });
}

/** Who looks at the normal pictures, so that nobody takes a method without them for one that has them. */
function sayCompared(context: Context, { normalsFrom }: AllOptions, cells: readonly GridCell[]): void {
  if (normalsFrom === undefined) return;
  const isWith = ({ choices }: GridCell) => {
    const method = defaultMethod(choices.method!);
    return takesMemory(method) || needsBank(method);
  };
  const named = (some: readonly GridCell[]) => some.map(({ texts }) => texts.join(' ')).join(', ');
  const [beside, alone] = [cells.filter(isWith), cells.filter((cell) => !isWith(cell))];
  if (beside.length === 0)
    throw new CraneError('E_USAGE', `no method of --methods compares with normal pictures: ${named(alone)}`, {
      hint: 'leave --normals-from out, or add winclip, vand or normals',
    });
  say(context, `with the normal pictures: ${named(beside)}`);
  if (alone.length > 0) say(context, `without them: ${named(alone)}`);
}
