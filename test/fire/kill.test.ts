/**
 * kill -9 at moments of every command that writes what lasts: at the n-th call that opens, writes, syncs or renames a file of
 * its folder (of a write, half is done). No file is half-written under its name, and what is gone on with ends in the bytes
 * of a run that was left alone. The queue's workers: test/cli/queue.test.ts.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { inScratch, root, run } from '../cli/crane-native.js';
import {
  checkResults,
  checkWholeness,
  commands,
  makePlace,
  makeSurroundings,
  resultsOf,
} from './commands.js';
import { buildShim, type CallKind, countCalls, isFull, numbersFrom, runUnder } from './faults.js';

const k_calls: readonly CallKind[] = ['open', 'write', 'fsync', 'rename'];
/** A run is gone on with so often before it is let finish. */
const k_killsOfOneRun = 6;
const k_kills = isFull ? 42 : 1;

it(`kill -9, ${k_kills} times for each command`, async () => {
  const shim = await buildShim();
  let killed = 0;
  await inScratch(async (scratch) => {
    const around = await makeSurroundings(scratch);
    for (const command of commands) {
      const whole = await makePlace(command, around, `${command.name} whole`);
      const log = join(scratch, 'calls');
      const faults = { folder: whole, calls: k_calls, log };
      const counts = await countCalls(shim, command.args(around, whole), faults, around.env);
      const calls = [...counts.values()].reduce((sum, count) => sum + count, 0);
      const expected = await resultsOf(command, whole);
      expect(Object.keys(expected).length).toBeGreaterThan(0);
      const random = numbersFrom(24);
      let kills = 0;
      for (let round = 0; kills < k_kills; round++) {
        const place = await makePlace(command, around, `${command.name} ${round}`);
        for (let each = 0; each < k_killsOfOneRun && kills < k_kills; each++) {
          // The first moments come again in what is gone on with.
          const at = 1 + Math.floor(random() ** (1 + each / 2) * calls);
          const env = shim.env({ folder: place, calls: k_calls, at, what: 'kill' });
          const run = await runUnder(command.args(around, place), { ...around.env, ...env });
          if (run.signal !== 'SIGKILL') {
            expect({ name: command.name, at, ...run }).toMatchObject({ code: 0 });
            break;
          }
          kills++;
          await checkWholeness(place);
        }
        const last = await runUnder(command.args(around, place), around.env);
        expect({ name: command.name, ...last }).toMatchObject({ code: 0 });
        await checkResults(command, expected, place, `killed, round ${round}`);
      }
      killed += kills;
      console.log(`${command.name}: ${kills} kills over ${calls} calls`);
    }
  });
  await shim.remove();
  console.log(`${killed} kills`);
  expect(killed).toBe(k_kills * commands.length);
}, 10_800_000);

it('a writer that writes in place is caught, one that gives whole files their name is not', async () => {
  const shim = await buildShim();
  const written = pathToFileURL(join(root, 'dist', 'files', 'write-whole.js')).href;
  const writers = {
    'in place': `(await import('node:fs')).writeFileSync(path, text)`,
    whole: `await (await import(${JSON.stringify(written)})).writeWhole(path, text, { overwrite: true })`,
  };
  await inScratch(async (scratch) => {
    for (const [name, writes] of Object.entries(writers)) {
      const place = join(scratch, name);
      await mkdir(place);
      const path = JSON.stringify(join(place, 'run.json'));
      const program = `const path = ${path}; const text = JSON.stringify(Array(99).fill(0)); ${writes};`;
      const env = shim.env({ folder: place, calls: ['write'], at: 1, what: 'kill' });
      const { signal } = await run(process.execPath, ['--input-type=module', '-e', program], { env });
      expect(signal).toBe('SIGKILL');
      const checked = checkWholeness(place);
      if (name === 'in place') await expect(checked).rejects.toThrow(SyntaxError);
      else expect(await checked).toBe(0);
    }
  });
  await shim.remove();
}, 300_000);
