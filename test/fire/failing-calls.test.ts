/**
 * The n-th call of a kind fails once: the answer is an error with a code that is not E_INTERNAL, or the work as if nothing had
 * been; no signal ends the program, no file is half-written under its name, and given again the command ends in the bytes of a
 * run that was left alone. And the disk that is full after every number of bytes.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Finished, run } from '../cli/crane-native.js';
import {
  type Command,
  checkResults,
  checkWholeness,
  commands,
  makePlace,
  resultsOf,
  underFire,
} from './commands.js';
import { type CallKind, countCalls, type Faults, isFull, runUnder } from './faults.js';

const k_failures: readonly [CallKind, NonNullable<Faults['what']>][] = [
  ['write', 'EIO'],
  ['fsync', 'EIO'],
  ['rename', 'EIO'],
  ['open', 'EMFILE'],
  ['mmap', 'ENOMEM'],
  ['thread', 'EAGAIN'],
];
/** The small instance tries every fifth field of the table of commands and failures, each row and column among them. */
const isTried = (command: Command, failure: number) =>
  isFull || (commands.indexOf(command) + failure) % commands.length === 0;
/** Numbers of one kind that are tried, evenly spread. */
const k_numbers = isFull ? 12 : 1;
const k_sizes = isFull ? 20 : 1;

const fire = underFire('crane failing-ä-');

/** From 1 to `last`, both among them, at most `count`. */
function spread(last: number, count: number): number[] {
  if (count === 1) return [Math.ceil(last / 2)];
  const steps = Math.min(last, count);
  return Array.from({ length: steps }, (_, i) => 1 + Math.round((i * (last - 1)) / Math.max(1, steps - 1)));
}

const seen = new Map<string, number>();
function codeOf({ code, signal, stderr }: Finished, what: string): string {
  expect(signal, `${what}: ${stderr}`).toBe(null);
  if (code === 0) return 'done';
  const line = stderr.trimEnd().split('\n').at(-1)!;
  const { error } = JSON.parse(line.startsWith('{') ? line : '{}') as { error?: { code: string } };
  expect(error?.code, `${what}: ${stderr}`).toMatch(/^E_/);
  expect(error?.code, `${what}: ${stderr}`).not.toBe('E_INTERNAL');
  seen.set(error!.code, (seen.get(error!.code) ?? 0) + 1);
  return error!.code;
}

/** One run with faults, and one without that must make up for it; what says that it is done is so at once. */
async function tryFaults(
  command: Command,
  expected: Record<string, string>,
  what: string,
  faults: (place: string) => Faults,
  runs = runUnder,
): Promise<void> {
  const { shim, around } = fire;
  const place = await makePlace(command, around, `${command.name} ${what}`);
  const args = command.args(around, place);
  const failed = await runs([...args, '--json'], { ...around.env, ...shim.env(faults(place)) });
  const outcome = codeOf(failed, `${command.name}, ${what}`);
  await checkWholeness(place);
  if (outcome === 'done') await checkResults(command, expected, place, `${what}, done`);
  const again = await runs(args, around.env);
  expect({ name: command.name, what, ...again }).toMatchObject({ code: 0 });
  await checkResults(command, expected, place, what);
}

/** Programs that do wrong where a write fails, which the same checks must find. `fail` is how a program of ours ends. */
const planted: Record<string, string> = {
  'a failure that is not told': 'try { write(path) } catch {}',
  'a failure without a code': 'write(path)',
  'a fault of its own': `try { write(path) } catch { fail('E_INTERNAL') }`,
  'a file that is half-written': `try { write(path) } catch { fail('E_IO_WRITE') }`,
  'what was there is kept as if it were whole': `if (!existsSync(path)) try { write(path) } catch { writeFileSync(path, '[]'); fail('E_IO_WRITE') }`,
  'an abort': 'try { write(path) } catch { process.abort() }',
};

it.each(Object.entries(planted))('planted, and found: %s', async (name, program) => {
  const { around } = fire;
  const command: Command = {
    name,
    args: (_, place) => [join(place, 'run.json')],
    isCompared: () => true,
  };
  const text = `
    const { closeSync, existsSync, openSync, writeFileSync, writeSync } = require('node:fs');
    const [path] = process.argv.slice(1);
    const fail = (code) => { console.error(JSON.stringify({ error: { code } })); process.exit(4); };
    const write = (path) => { const file = openSync(path, 'w'); for (const part of ['[1, ', '2]']) writeSync(file, part); closeSync(file); };
    ${program};`;
  const runs = (args: string[], env: NodeJS.ProcessEnv) =>
    run(process.execPath, ['-e', text, ...args.slice(0, 1)], { env });
  const whole = await makePlace(command, around, `${name} whole`);
  expect(await runs(command.args(around, whole), {})).toMatchObject({ code: 0 });
  const expected = await resultsOf(command, whole);
  const second = (folder: string): Faults => ({ folder, calls: ['write'], at: 2, what: 'EIO' });
  await expect(tryFaults(command, expected, 'the second write', second, runs)).rejects.toThrow();
  // Without a failure there is nothing to find.
  await tryFaults(command, expected, 'none', (folder) => ({ folder }), runs);
});

it.each(commands)(
  '$name: calls that fail once, and a full disk',
  async (command) => {
    const { shim, around } = fire;
    const whole = await makePlace(command, around, `${command.name} whole`);
    const kinds = k_failures.map(([kind]) => kind);
    // What maps is read: the model and its bank; what writes is the command's own.
    const mapped = around.scratch;
    const log = join(around.scratch, 'calls');
    const watched = { folder: whole, mapped, calls: kinds, log };
    const counts = await countCalls(shim, command.args(around, whole), watched, around.env);
    const expected = await resultsOf(command, whole);
    let tried = 0;
    for (const [failure, [kind, what]] of k_failures.entries()) {
      if (!isTried(command, failure)) continue;
      const calls = counts.get(kind)!;
      for (const at of calls === 0 ? [] : spread(calls, k_numbers)) {
        const faults = (folder: string): Faults => ({ folder, mapped, calls: [kind], at, what });
        await tryFaults(command, expected, `${kind} ${at} of ${calls}`, faults);
        tried++;
      }
    }
    // Without these kinds nothing would have been tried.
    for (const kind of ['write', 'fsync', 'rename', 'open', 'mmap'] as const)
      expect(counts.get(kind), kind).toBeGreaterThan(0);
    const bytes = Object.values(expected).reduce((sum, hex) => sum + hex.length / 2, 0);
    for (const step of isTried(command, k_failures.length) ? spread(k_sizes, k_sizes) : []) {
      const room = Math.floor(((step - 1) * bytes * 1.02) / k_sizes);
      await tryFaults(command, expected, `room for ${room} bytes`, (folder) => ({ folder, room }));
      tried++;
    }
    console.log(
      `${command.name}: ${tried} failures: ${[...seen].map(([code, n]) => `${code} ${n}`).join(', ')}`,
    );
  },
  10_800_000,
);
