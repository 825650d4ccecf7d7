/** `crane-native serve`: the HTTP service. */
import type { CommandModule } from 'yargs';
import { flagName, optionNames, options } from '../options/table.js';
import type { OptionName } from '../options/types.js';
import { type Context, say } from './context.js';
import { flagsFor, readFlags } from './flags.js';

const names: readonly OptionName[] = [
  ...optionNames.filter((name) => (options[name].scope as readonly string[]).includes('serve')),
  'json',
];

export function serveCommand(context: Context): CommandModule {
  return {
    command: 'serve',
    describe: 'score pictures that are sent by HTTP; a page to try it in a browser',
    builder: (yargs) => yargs.options(flagsFor(names)),
    handler: (argv) => serve(context, argv),
  };
}

async function serve(context: Context, argv: Record<string, unknown>): Promise<void> {
  // Only what was given: a default of the table must not win over the configuration file.
  const given = names.filter((name) => argv[flagName(name)] !== undefined);
  const { json: _json, ...flags } = readFlags(argv, given);
  const { readSettings } = await import('../service/settings.js');
  const settings = await readSettings(flags);
  const { startService } = await import('../service/run-service.js');
  const running = await startService({ settings, logTo: context.stderr });
  const stopListening = context.onHangUp?.(() => void running.reload());
  for (const url of running.urls) context.stdout.write(`${url}\n`);
  if (settings.logLevel !== 'silent') say(context, 'open the address in a browser; Ctrl-C ends the service');
  if (!context.stop.aborted)
    await new Promise<void>((resolve) =>
      context.stop.addEventListener('abort', () => resolve(), { once: true }),
    );
  await running.stop();
  stopListening?.();
}
