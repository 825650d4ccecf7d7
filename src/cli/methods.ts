/** `crane-native methods list|show`. */
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { type Context, paintOf, say } from './context.js';
import { flagsFor } from './flags.js';
import { familyCommand, lastText, printJson } from './subcommands.js';

export function methodsCommand(context: Context): CommandModule {
  return familyCommand({
    name: 'methods',
    describe: 'what turns features into scores: Crane and the systems it is compared with',
    usage: 'Tells of the methods that --method takes.',
    what: 'methods',
    members: [listCommand(context), showCommand(context)],
  });
}

function listCommand(context: Context): CommandModule {
  return {
    command: 'list',
    describe: 'all methods, one a line',
    builder: (yargs) => yargs.options(jsonFlag('one JSON line for each method on stdout')),
    handler: async (argv) => {
      const { accountOf, listTable } = await import('../methods/account.js');
      const { findMethod, methodNames } = await import('../methods/registry.js');
      const accounts = methodNames().map((name) => accountOf(findMethod(name)));
      if (argv['json']) {
        for (const account of accounts) printJson(context, account);
        return;
      }
      context.stdout.write(listTable(accounts, paintOf(context)));
      say(context, 'all of one: npx crane-native methods show NAME');
    },
  };
}

function showCommand(context: Context): CommandModule {
  return {
    command: 'show [name]',
    describe: 'what a method is and needs, its settings, switches and defaults, where code and figures part',
    builder: (yargs) =>
      yargs
        .positional('name', { type: 'string', describe: 'a method: methods list' })
        .options(jsonFlag('the same as JSON on stdout'))
        .example('$0 methods show crane', 'its settings, and what each is when nothing is said'),
    handler: async (argv) => {
      const { accountOf, accountText } = await import('../methods/account.js');
      const { findMethod, methodNames } = await import('../methods/registry.js');
      const name = lastText(argv['name']);
      if (name === undefined)
        throw new CraneError('E_USAGE', 'name the method to show', {
          hint: `one of ${methodNames().join(', ')}`,
        });
      const account = accountOf(findMethod(name));
      if (argv['json']) return printJson(context, account);
      context.stdout.write(accountText(account, paintOf(context)));
    },
  };
}

function jsonFlag(describe: string) {
  const { json } = flagsFor(['json']);
  return { json: { ...json, describe } };
}
