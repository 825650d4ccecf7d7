/** A command that is a family of others: `data index|check|list`, `weights list|...`. */
import type { Argv, CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { visibleJson } from '../terminal/visible.js';
import type { Context } from './context.js';

export interface CommandFamily {
  name: string;
  describe: string;
  /** what the help begins with */
  usage: string;
  /** completes "name what to do with ..." */
  what: string;
  members: CommandModule[];
}

export function familyCommand({ name, describe, usage, what, members }: CommandFamily): CommandModule {
  const names = members.map(({ command }) => String(command).split(' ')[0]!);
  return {
    command: name,
    describe,
    builder: (yargs) => {
      yargs.usage(`$0 ${name} <what>\n\n${usage}`);
      for (const member of members) yargs.command(member);
      // Whatever is none of them ends up here and gets an answer that knows them.
      return yargs.command({
        command: '$0 [what] [rest..]',
        describe: false,
        // the wrong name is what has to be told, not the flags that the right one would know
        builder: (any: Argv) => any.strict(false),
        handler: (argv) => {
          throw unknownMember(name, what, argv['what'], names);
        },
      });
    },
    handler: () => {},
  };
}

function unknownMember(name: string, what: string, given: unknown, names: readonly string[]): CraneError {
  if (given === undefined)
    return new CraneError('E_USAGE', `name what to do with ${what}`, { hint: `one of ${names.join(', ')}` });
  const nearest = nearestName(String(given), names);
  return new CraneError('E_USAGE', `there is no command "${name} ${String(given)}"`, {
    hint: nearest ? `did you mean ${name} ${nearest}?` : `there are ${names.join(', ')}`,
  });
}

/** A flag given twice: the last one counts. */
export function lastText(given: unknown): string | undefined {
  const last = Array.isArray(given) ? given.at(-1) : given;
  return last === undefined ? undefined : String(last);
}

/** One line. */
export function printJson(context: Context, value: unknown): void {
  context.stdout.write(`${visibleJson(value)}\n`);
}
