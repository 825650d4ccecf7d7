/**
 * Ctrl-C and SIGTERM at moments of every command that writes what lasts: at the n-th call that opens, writes, syncs or renames a file,
 * what it reads among them. It ends with 130, or is done; no file is half-written under its name, none is left under a temporary one, and
 * given again the command ends in the bytes of a run that was left alone.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inScratch } from '../cli/crane-native.js';
import { checkWholeness, commands, makePlace, makeSurroundings, resultsOf } from './commands.js';
import { buildShim, type CallKind, countCalls, filesBelow, isFull, numbersFrom, runUnder } from './faults.js';

const k_calls: readonly CallKind[] = ['open', 'write', 'fsync', 'rename'];
const k_interrupts = Number(process.env['CRANE_FIRE_RUNS'] ?? (isFull ? 40 : 1));

it(`Ctrl-C and SIGTERM, ${k_interrupts} times for each command`, async () => {
  const shim = await buildShim();
  await inScratch(async (scratch) => {
    const around = await makeSurroundings(scratch);
    for (const [nth, command] of commands.entries()) {
      const whole = await makePlace(command, around, `${command.name} whole`);
      const log = join(scratch, 'calls');
      const faults = { folder: scratch, calls: k_calls, log };
      const counts = await countCalls(shim, command.args(around, whole), faults, around.env);
      const calls = [...counts.values()].reduce((sum, count) => sum + count, 0);
      const expected = await resultsOf(command, whole);
      expect(Object.keys(expected).length).toBeGreaterThan(0);
      const random = numbersFrom(130);
      const ends: Record<string, number> = {};
      for (let round = 0; round < k_interrupts; round++) {
        const place = await makePlace(command, around, `${command.name} ${round}`);
        // What the first run has put into the cache folder the others need not.
        const at = 1 + Math.floor(random() * calls * 0.8);
        const what = (nth + round) % 2 === 0 ? 'SIGINT' : 'SIGTERM';
        const env = shim.env({ folder: scratch, calls: k_calls, at, what });
        const run = await runUnder([...command.args(around, place), '--json'], { ...around.env, ...env });
        const told = { name: command.name, what, at, calls, ...run };
        expect(run.stderr, JSON.stringify(told)).toContain('finishing what has begun');
        expect([0, 130], JSON.stringify(told)).toContain(run.code);
        if (run.code === 130) expect(run.stderr, JSON.stringify(told)).toContain('E_CANCELLED');
        ends[String(run.code)] = (ends[String(run.code)] ?? 0) + 1;
        await checkWholeness(place);
        expect((await filesBelow(place)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
        const again = await runUnder(command.args(around, place), around.env);
        expect({ name: command.name, what, at, ...again }).toMatchObject({ code: 0 });
        const got = await resultsOf(command, place);
        expect(Object.keys(got), command.name).toEqual(Object.keys(expected));
        for (const [name, bytes] of Object.entries(got))
          expect(bytes === expected[name], `${command.name}: ${name} has other bytes`).toBe(true);
      }
      console.log(`${command.name}: ${k_interrupts} signals over ${calls} calls: ${JSON.stringify(ends)}`);
    }
  });
  await shim.remove();
}, 3_600_000);
