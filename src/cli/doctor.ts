/** `crane-native doctor`: checks machine, engine, model and the golden case, and says what to do about faults. */
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import type { AllOptions } from '../options/types.js';
import { visible } from '../terminal/visible.js';
import { type Context, paintOf } from './context.js';
import { flagsFor, optionsFor, readFlags } from './flags.js';
import { printJson } from './subcommands.js';

const names = ['model', 'device', 'precision', 'threads', 'size', 'verbose', 'json'] as const;
const k_colours = { ok: 'green', warning: 'yellow', fault: 'red' } as const;

export function doctorCommand(context: Context): CommandModule {
  return {
    command: 'doctor',
    describe: 'check this machine, the engine and a model, and say what to do about each problem',
    builder: (yargs) =>
      yargs.options(flagsFor(names, { json: { describe: 'findings as JSON Lines on stdout' } })),
    handler: (argv) => doctor(context, argv),
  };
}

async function doctor(context: Context, argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, names) as Pick<AllOptions, (typeof names)[number]>;
  const { diagnose } = await import('../engine/diagnose.js');
  const faults = [];
  for await (const finding of diagnose(
    context.loadAddon,
    values.model,
    optionsFor('loadEngine', values),
    context.env,
  )) {
    if (finding.state === 'fault') faults.push(finding);
    if (values.json) {
      printJson(context, finding);
      continue;
    }
    const state = paintOf(context)[k_colours[finding.state]](finding.state.padEnd(8));
    context.stdout.write(`${state}${finding.about.padEnd(22)} ${visible(finding.text)}\n`);
    if (finding.hint) context.stdout.write(`${' '.repeat(31)}${visible(finding.hint)}\n`);
  }
  const first = faults[0];
  if (first) {
    throw new CraneError(
      first.code ?? 'E_INTERNAL',
      `${faults.length} of the checks failed, first: ${first.about}`,
      { hint: first.hint },
    );
  }
}
