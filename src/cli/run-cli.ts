/** The command line as a function: arguments in, exit code out. */
import yargs, { type CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { commandNames, commandsFor } from './commands.js';
import type { Context } from './context.js';
import { reportError } from './report-error.js';

export async function runCli(args: readonly string[], context: Context, version: string): Promise<number> {
  const look = { json: isOn('json', args), verbose: isOn('verbose', args) };
  let thrown: unknown;
  try {
    await runCommand(args, context, version);
  } catch (fault) {
    thrown = fault;
  }
  if (context.outputFault) thrown = await context.outputFault.over(context.stdout, thrown);
  return thrown === undefined || context.outputFault?.isEndedByReader
    ? 0
    : reportError(context, thrown, look);
}

async function runCommand(args: readonly string[], context: Context, version: string): Promise<void> {
  const parser = makeParser(args, context, version, await commandsFor(args, context));
  let output = '';
  // With a callback yargs hands its texts over instead of printing them, and never exits.
  await parser.parseAsync(args.map(keepDash), {}, (_error: unknown, _argv: unknown, text: string) => {
    output = text;
  });
  if (output !== '') context.stdout.write(`${output}\n`);
}

/** The parser drops a lone dash from a list of arguments; `@-`, the list on standard input, means the same to us. */
function keepDash(arg: string): string {
  return arg === '-' ? '@-' : arg;
}

function makeParser(
  args: readonly string[],
  context: Context,
  version: string,
  commands: readonly CommandModule[],
) {
  const parser = yargs([...args])
    .scriptName('crane-native')
    .usage('$0 <command>\n\nFinds defects in pictures without examples of them.')
    // Flags are looked up under the very names of the table (flags.ts).
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'populate--': true,
    })
    .locale('en')
    .version(version)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(110, context.isTerminal.columns))
    .strict()
    .demandCommand(1, 'name a command')
    .middleware((argv) => {
      refuseOtherThanTrueOrFalse(args, parser);
      refuseAddress(argv);
    })
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      throw error ?? usageError(message, args, commandOf(parser));
    });
  for (const command of commands) parser.command(command);
  layOutNoHelpUnasked(parser);
  return parser;
}

/**
 * Of `--flag=yes` the parser makes false, as of all that is not "true", before anybody can look at it.
 * @throws CraneError E_USAGE
 */
function refuseOtherThanTrueOrFalse(args: readonly string[], parser: object): void {
  const knowing = parser as { getOptions(): { boolean: string[]; alias: Record<string, string[]> } };
  const { boolean, alias } = knowing.getOptions();
  const flags = boolean.flatMap((name) => [name, ...(alias[name] ?? [])]);
  for (const arg of ownArgs(args)) {
    const [, flag = '', value = ''] = /^(--?[^=]+)=(.*)$/s.exec(arg) ?? [];
    if (!flags.includes(flag.replace(/^--?/, '')) || value === 'true' || value === 'false') continue;
    throw new CraneError('E_USAGE', `Expected true or false for ${flag} but received "${value}"`);
  }
}

/** What stands before `--`: behind it are inputs, whatever they look like. */
function ownArgs(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

/** Known before the parser has read anything, for faults that it finds itself. The last one counts. */
function isOn(flag: string, args: readonly string[]): boolean {
  const own = ownArgs(args);
  const at = own.findLastIndex((arg) => arg.split('=')[0] === `--${flag}` || arg === `--no-${flag}`);
  return own[at] === `--${flag}=true` || (own[at] === `--${flag}` && own[at + 1] !== 'false');
}

/** Those whose `--out` may be an address of a store. */
const k_toStores: readonly unknown[] = ['score', 'submit', 'merge'];

/** Elsewhere it would be a folder here with the name of the address. @throws CraneError E_USAGE */
function refuseAddress({ _: [command], out }: Record<string, unknown> & { _: (string | number)[] }): void {
  if (typeof out !== 'string' || !/^[a-z][a-z0-9+.-]*:\/\//i.test(out) || k_toStores.includes(command))
    return;
  throw new CraneError('E_USAGE', `--out of ${command} is a folder or file here, and no address`, {
    hint: `${k_toStores.join(', ')} write to stores`,
  });
}

/**
 * Beside every command that runs, yargs lays out its help for a later showHelp(), a tenth of a second of a processor's time.
 * Nobody calls that here.
 */
function layOutNoHelpUnasked(parser: object): void {
  const knowing = parser as {
    getInternalMethods(): { getUsageInstance(): { cacheHelpMessage(): void } };
  };
  knowing.getInternalMethods().getUsageInstance().cacheHelpMessage = () => {};
}

/** The command that is being read, "data check", and its flags. yargs has the methods; its types do not. */
function commandOf(parser: object): { command: string; flags: string[] } {
  const knowing = parser as {
    getOptions(): { key: object };
    getGroups(): Record<string, string[]>;
    getInternalMethods(): { getContext(): { commands: string[] } };
  };
  const positionals = knowing.getGroups()['Positionals:'] ?? [];
  return {
    command: knowing.getInternalMethods().getContext().commands.join(' '),
    flags: Object.keys(knowing.getOptions().key).filter((name) => !positionals.includes(name)),
  };
}

/** yargs says what is wrong; the nearest right spelling comes from us. */
function usageError(
  message: string,
  args: readonly string[],
  { command, flags }: { command: string; flags: readonly string[] },
): CraneError {
  const first = args.find((arg) => !arg.startsWith('-'));
  if (first !== undefined && !commandNames.includes(first))
    return misspelt(`command "${first}"`, nearestName(first, commandNames));
  const unknown = /^Unknown (?:arguments?|commands?): (.+)$/.exec(message)?.[1]?.split(', ');
  if (unknown === undefined) return new CraneError('E_USAGE', message, { hint: 'see crane-native --help' });
  const flag = unknown.find((name) => isGivenAsFlag(name, args));
  if (flag === undefined)
    return new CraneError('E_USAGE', `${command} takes no "${unknown[0]}"`, {
      hint: `see crane-native ${command} --help`,
    });
  const nearest = nearestName(flag, flags);
  const given = flag.length === 1 ? `-${flag}` : `--${flag}`;
  return misspelt(`flag "${given}"`, nearest && `--${nearest}`, `crane-native ${command} --help`);
}

function isGivenAsFlag(name: string, args: readonly string[]): boolean {
  return args.some(
    (arg) =>
      (arg.startsWith('--') && arg.replace(/^--(no-)?/, '').split('=')[0] === name) ||
      // -xyz is read as -x -y -z
      (name.length === 1 && /^-[^-]/.test(arg) && arg.includes(name)),
  );
}

function misspelt(what: string, nearest: string | undefined, page = 'crane-native --help'): CraneError {
  return new CraneError('E_USAGE', `there is no ${what}`, {
    hint: nearest ? `did you mean ${nearest}?` : `see ${page}`,
  });
}
