/**
 * Ctrl-C and SIGTERM at moments of every command that writes what lasts: at the n-th call that opens, writes, syncs or renames a file,
 * what it reads among them. It ends with 130, or is done; no file is half-written under its name, none is left under a temporary one, and
 * given again the command ends in the bytes of a run that was left alone.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../cli/crane-native.js';
import {
  type Command,
  checkResults,
  checkWholeness,
  commands,
  makePlace,
  resultsOf,
  underFire,
} from './commands.js';
import { type CallKind, countCalls, filesBelow, isFull, numbersFrom, runUnder } from './faults.js';

const k_calls: readonly CallKind[] = ['open', 'write', 'fsync', 'rename'];
const k_interrupts = Number(process.env['CRANE_FIRE_RUNS'] ?? (isFull ? 40 : 1));

const fire = underFire('crane interrupted-ä-');

/** @returns how the command ended that got the signal at its n-th call; what is wrong with it is thrown */
async function interruptAt(
  command: Command,
  expected: Record<string, string>,
  {
    at,
    what,
    round = 0,
    folder,
  }: { at: number; what: 'SIGINT' | 'SIGTERM'; round?: number; folder?: string },
  runs = runUnder,
): Promise<number> {
  const { shim, around } = fire;
  const place = await makePlace(command, around, `${command.name} ${what} ${at} of ${round}`);
  const env = shim.env({ folder: folder ?? around.scratch, calls: k_calls, at, what });
  const finished = await runs([...command.args(around, place), '--json'], { ...around.env, ...env });
  const told = JSON.stringify({ name: command.name, what, at, ...finished });
  expect(finished.stderr, told).toContain('finishing what has begun');
  expect([0, 130], told).toContain(finished.code);
  if (finished.code === 130) expect(finished.stderr, told).toContain('E_CANCELLED');
  await checkWholeness(place);
  expect((await filesBelow(place)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  const again = await runs(command.args(around, place), around.env);
  expect({ name: command.name, what, at, ...again }).toMatchObject({ code: 0 });
  await checkResults(command, expected, place, `${what} ${at}`);
  return finished.code!;
}

it.each(commands)(
  `$name: Ctrl-C and SIGTERM, ${k_interrupts} times`,
  async (command) => {
    const { shim, around } = fire;
    const whole = await makePlace(command, around, `${command.name} whole`);
    const watched = { folder: around.scratch, calls: k_calls, log: join(around.scratch, 'calls') };
    const counts = await countCalls(shim, command.args(around, whole), watched, around.env);
    const calls = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const expected = await resultsOf(command, whole);
    expect(Object.keys(expected).length).toBeGreaterThan(0);
    const random = numbersFrom(130 + commands.indexOf(command));
    const ends: Record<string, number> = {};
    for (let round = 0; round < k_interrupts; round++) {
      // What the first run has put into the cache folder the others need not.
      const at = 1 + Math.floor(random() * calls * 0.8);
      const what = (commands.indexOf(command) + round) % 2 === 0 ? 'SIGINT' : 'SIGTERM';
      const code = await interruptAt(command, expected, { at, what, round });
      ends[code] = (ends[code] ?? 0) + 1;
    }
    console.log(`${command.name}: ${k_interrupts} signals over ${calls} calls: ${JSON.stringify(ends)}`);
  },
  10_800_000,
);

/** Programs that do wrong at a signal, which the same checks must find; and one that does right. */
const planted: Record<string, string> = {
  nothing: `process.on('SIGINT', () => { said(); process.exitCode = 130; });`,
  'an end at once': '',
  'no end with 130': `process.on('SIGINT', () => { said(); process.exit(1); });`,
  'a file under a temporary name': `process.on('SIGINT', () => { said(); process.exit(130); });`,
  'a file that is half-written': `process.on('SIGINT', () => { said(); renameSync(temporary, path); process.exit(130); });`,
};

it.each(Object.entries(planted))('planted, and found: %s', async (name, handler) => {
  const { around } = fire;
  const command: Command = { name, args: (_, place) => [join(place, 'run.json')], isCompared: () => true };
  const text = `
    const { closeSync, openSync, renameSync, writeSync } = require('node:fs');
    const [path] = process.argv.slice(1);
    const temporary = path + '.tmp';
    const said = () => console.error('finishing what has begun E_CANCELLED');
    ${handler}
    const file = openSync(temporary, 'w');
    writeSync(file, '[1, ');
    setTimeout(() => { writeSync(file, '2]'); closeSync(file); renameSync(temporary, path); }, 50);`;
  const runs = (args: string[], env: NodeJS.ProcessEnv) =>
    run(process.execPath, ['-e', text, ...args.slice(0, 1)], { env });
  const whole = await makePlace(command, around, `${name} whole`);
  expect(await runs(command.args(around, whole), {})).toMatchObject({ code: 0 });
  const expected = await resultsOf(command, whole);
  const place = join(around.scratch, `${name} SIGINT 2 of 0`);
  const interrupted = interruptAt(command, expected, { at: 2, what: 'SIGINT', folder: place }, runs);
  if (name === 'nothing') expect(await interrupted).toBe(130);
  else await expect(interrupted).rejects.toThrow();
});
