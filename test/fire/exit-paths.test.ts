/**
 * Every way for a process to end while an engine is at work in it, at seeded moments: with the code it should, never by a signal,
 * never not at all. exit-ways.mjs is what runs.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inScratch, root } from '../cli/crane-native.js';
import { makeNoiseSet, makeTinyModel } from '../cli/tiny-model.js';
import { isFull } from './faults.js';

const k_runs = Number(process.env['CRANE_FIRE_RUNS'] ?? (isFull ? 200 : 1));
/** Who has not ended by then never will, on a busy machine too. */
const k_longestMs = 240_000;

const ways: Record<string, number> = {
  'exit while it loads': 7,
  'exit right after it has loaded': 7,
  'exit while it scores': 7,
  'exit while it learns a bank': 7,
  'an exception that nobody catches': 1,
  'the end without dispose': 0,
  'dispose while it scores': 0,
  'dispose, and exit before it is done': 7,
  'collected while it scores': 0,
  'threads that are terminated': 0,
  'exit while threads score': 7,
  'two engines in two threads': 0,
};

let around: { model: string; picture: string };
let leave: () => void;
let left: Promise<void>;
beforeAll(
  () =>
    new Promise<void>((ready, fail) => {
      left = inScratch(async (scratch) => {
        const model = await makeTinyModel(join(scratch, 'model'));
        const data = await makeNoiseSet(join(scratch, 'noise'), 1);
        around = { model, picture: join(data, 'part', 'test', 'good', '0.png') };
        ready();
        await new Promise<void>((resolve) => {
          leave = resolve;
        });
      });
      left.catch(fail);
    }),
  60_000,
);
afterAll(() => {
  leave();
  return left;
});

/** @returns what is wrong with how it ended, or undefined */
function faultOf(
  way: string,
  seed: number,
  wanted: number,
  longestMs = k_longestMs,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const program = join(root, 'test', 'fire', 'exit-ways.mjs');
    const args = ['--expose-gc', program, way, String(seed), around.model, around.picture];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    let hasHung = false;
    const limit = setTimeout(() => {
      hasHung = true;
      child.kill('SIGKILL');
    }, longestMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      if (hasHung) resolve(`${way}, seed ${seed}: does not end`);
      else if (code === wanted) resolve(undefined);
      else resolve(`${way}, seed ${seed}: ${signal ?? `code ${code}`}: ${stderr}`);
    });
  });
}

it.each(Object.entries(ways))(
  `%s: ${k_runs} runs`,
  async (way, wanted) => {
    const faults: string[] = [];
    let next = 0;
    const lane = async () => {
      while (next < k_runs) {
        const fault = await faultOf(way, next++, wanted);
        if (fault !== undefined) faults.push(fault);
      }
    };
    await Promise.all([lane(), lane()]);
    expect(faults).toEqual([]);
  },
  k_runs * k_longestMs,
);

it(
  'finds a process that aborts and one that does not end',
  async () => {
    expect(await faultOf('aborts', 0, 7)).toContain('SIGABRT');
    expect(await faultOf('hangs', 0, 0, 2_500)).toContain('does not end');
  },
  k_longestMs,
);
