/** `crane-native queue`: what waits, what failed, and what to do about it. */
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import type { AllOptions } from '../options/types.js';
import { visible } from '../terminal/visible.js';
import type { ActedOn, WorkQueue } from '../work/queue.js';
import { type Context, say } from './context.js';
import { flagsFor, readFlags } from './flags.js';
import { familyCommand, printJson } from './subcommands.js';

const k_shown = 5;
const names = ['redis', 'queue', 'json'] as const;

export function queueCommand(context: Context): CommandModule {
  return familyCommand({
    name: 'queue',
    describe: 'what waits in a queue: status, retry, cancel',
    usage: 'Looks after the jobs of submit and worker.',
    what: 'a queue',
    members: [
      {
        command: 'status',
        describe: 'how many jobs wait, run and failed, and why',
        builder: (yargs) => yargs.options(flagsFor(names, { json: { describe: 'as JSON on stdout' } })),
        handler: (argv) => withQueue(argv, (queue, json) => status(context, queue, json)),
      },
      {
        command: 'retry',
        describe: 'give the jobs that were put aside their tries anew',
        builder: (yargs) => yargs.options(flagsFor(names)),
        handler: (argv) => withQueue(argv, async (queue) => say(context, told(await queue.retry(), 'go on'))),
      },
      {
        command: 'cancel <submission>',
        describe: 'take back what waits and no other submission wants, and stop what runs; results are kept',
        builder: (yargs) =>
          yargs
            .positional('submission', { type: 'string', describe: 'id, as submit printed it' })
            .options(flagsFor(names)),
        handler: (argv) =>
          withQueue(argv, async (queue) => {
            const id = String(argv['submission']);
            if (!/^[0-9a-f]{32}$/.test(id))
              throw new CraneError('E_USAGE', `${id}: not the id of a submission`);
            const { shared, ...acted } = await queue.cancel(id);
            const others = shared > 0 ? `, ${shared} stay for other submissions` : '';
            say(context, `${told(acted, 'taken back')}${others}`);
          }),
      },
    ],
  });
}

function told({ done, left, unreadable }: ActedOn, what: string): string {
  const taken = left > 0 ? `, ${left} taken by others meanwhile` : '';
  const broken =
    unreadable.length > 0
      ? `, ${unreadable.length} cannot be read: ${unreadable.slice(0, k_shown).join(', ')}`
      : '';
  return `${done} jobs ${what}${taken}${broken}`;
}

async function withQueue(
  argv: Record<string, unknown>,
  act: (queue: WorkQueue, json: boolean) => Promise<void>,
): Promise<void> {
  const { redis, queue: name, json } = readFlags(argv, names) as AllOptions;
  const { WorkQueue } = await import('../work/queue.js');
  const queue = await WorkQueue.open(redis, name);
  try {
    await act(queue, json);
  } finally {
    await queue.close();
  }
}

async function status(context: Context, queue: WorkQueue, json: boolean): Promise<void> {
  const found = await queue.status();
  if (json) return printJson(context, found);
  const { dead, unreadable, ...counts } = found;
  for (const [name, count] of Object.entries(counts)) context.stdout.write(`${name.padEnd(10)} ${count}\n`);
  for (const { chunk, attempts, reason } of dead)
    context.stdout.write(`${visible(`${chunk}  ${attempts} tries  ${reason}`)}\n`);
  for (const { id, reason } of unreadable) context.stdout.write(`${visible(`${id}  ${reason}`)}\n`);
}
