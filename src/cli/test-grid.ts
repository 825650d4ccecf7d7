/** `crane-native test --grid`: an ablation. */

import type { Engine } from '../engine/engine.js';
import { evaluateGrid } from '../evaluate/evaluate-grid.js';
import type { GridAxis, GridCell } from '../evaluate/grid.js';
import { type GridRun, gridFiles, gridText } from '../evaluate/grid-table.js';
import type { Beside } from '../evaluate/paper-grid.js';
import { findMethod, needsBank, takesMemory } from '../methods/registry.js';
import type { AllOptions } from '../options/types.js';
import { unscored } from '../runs/test-run.js';
import { visibleJsonText } from '../terminal/visible.js';
import type { Context } from './context.js';
import { paintOf, say } from './context.js';
import { learningOptions, optionsFor } from './flags.js';
import { type Progress, startProgress } from './progress.js';
import { openForTest, shower, someFailed } from './test-run.js';

export async function runGrid(
  context: Context,
  values: AllOptions,
  data: readonly string[],
  axes: readonly GridAxis[],
  {
    keepsShown = false,
    finish = async () => {},
    cells,
    valuesOf = () => values,
    beside,
  }: {
    keepsShown?: boolean;
    finish?: (runs: readonly GridRun[]) => Promise<void>;
    /** all combinations of the axes unless said */
    cells?: readonly GridCell[];
    /** what of the command's options is for a cell */
    valuesOf?: (choices: Partial<AllOptions>) => AllOptions;
    beside?: Beside;
  } = {},
): Promise<void> {
  const { resume, force, json } = values;
  const out = values.out!;
  const progress = startProgress(context);
  let shown = '';
  let show = shower(context, progress);
  try {
    const runs = await evaluateGrid(
      {
        axes,
        ...(cells ? { cells } : {}),
        beside,
        data,
        out,
        resume,
        force,
        openEngine: (choices) => openForTest(context, forCell(valuesOf(choices), choices)),
        optionsOf: async (choices, engine) => {
          const own = forCell(valuesOf(choices), choices);
          const compared = await normalsOf(context, engine, own, progress);
          return { ...optionsFor('evaluateDataSets', own), ...compared };
        },
        keepsShown,
        panels: values.panels,
        signal: context.stop,
        onProgress: ({ label }, at, of, event) => {
          if (label !== shown) {
            shown = label;
            progress.clear();
            say(context, `${at + 1}/${of}: ${label}`);
            show = shower(context, progress, `${at + 1}/${of} `);
          }
          // The same sentences for every combination.
          if (event.stage !== 'note' || at === 0) show(event);
        },
      },
      context.env,
    );
    await finish(runs);
    progress.stop();
    context.stdout.write(
      json
        ? visibleJsonText(gridFiles(axes, runs, beside)['grid.json'])
        : gridText(axes, runs, paintOf(context), beside),
    );
    say(context, `results: ${out}`);
    const failed = runs.reduce((sum, { run }) => sum + unscored(run).length, 0);
    if (failed > 0) throw someFailed(failed);
  } finally {
    progress.stop();
  }
}

/** Of --normals-from what the combination's method compares with; nothing where it compares with none. */
async function normalsOf(context: Context, engine: Engine, values: AllOptions, progress: Progress) {
  const { method } = engine.settings();
  if (values.normalsFrom === undefined || !(takesMemory(method) || needsBank(method))) return {};
  const { bankFrom } = await import('./normals-from.js');
  return { normals: await bankFrom(context, engine, values, learningOptions(values), progress) };
}

/** A name of a class is for the methods that name one. */
function forCell(values: AllOptions, choices: Partial<AllOptions>): AllOptions {
  const { className, ...rest } = { ...values, ...choices };
  const isNamed = choices.method === undefined || findMethod(choices.method).namesClass === true;
  return (isNamed && className !== undefined ? { ...rest, className } : rest) as AllOptions;
}
