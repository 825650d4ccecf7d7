/** kill -9 at moments of several trainings with their tests: gone on with, the table has the bytes of a run left alone. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { craneNative, inScratch, root } from '../cli/crane-native.js';
import { makeNoiseSet, makeTinyModel } from '../cli/tiny-model.js';

/** Shares of the time that a whole run takes. */
const k_moments = [0.15, 0.35, 0.55, 0.75, 0.9];

it('kill -9 while several trainings are learned and tested', async () => {
  await inScratch(async (scratch) => {
    const model = await makeTinyModel(join(scratch, 'model'));
    const data = await makeNoiseSet(join(scratch, 'noise'), 4);
    const tested = await makeNoiseSet(join(scratch, 'tested'), 4);
    const args = (name: string) => [
      ...['train', data, '--model', model, '--out', join(scratch, name), '--cache', join(scratch, 'cache')],
      ...['--grid', 'guidance=none,pad-suffix', '--seeds', '2', '--epochs', '3', '--batch-size', '2'],
      ...['--then-test', tested, '--bootstrap', '0', '--threads', '1', '--resume'],
    ];
    const began = performance.now();
    const whole = await craneNative(args('whole'));
    expect(whole.stderr + whole.code).toMatch(/0$/);
    const lastsMs = performance.now() - began;

    let killed = 0;
    for (const moment of k_moments) killed += Number(await killAfter(args('killed'), lastsMs * moment));
    expect(killed).toBeGreaterThan(0);
    const finished = await craneNative(args('killed'));
    expect(finished.stderr + finished.code).toMatch(/0$/);
    for (const name of ['table.csv', 'table.md', 'table.tex'])
      expect(await readFile(join(scratch, 'killed', name), 'utf8')).toBe(
        await readFile(join(scratch, 'whole', name), 'utf8'),
      );
    const files = await readdir(join(scratch, 'killed'), { recursive: true });
    expect(files.filter((name) => name.endsWith('.tmp') || name.endsWith('.lock'))).toEqual([]);
    const record = JSON.parse(await readFile(join(scratch, 'killed', 'trials.json'), 'utf8'));
    expect(record).toMatchObject({ status: 'complete', trials: Array(4).fill({ status: 'complete' }) });
  });
}, 900_000);

/** @returns whether it was still running */
function killAfter(args: string[], ms: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
      stdio: 'ignore',
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      clearTimeout(timer);
      resolve(signal === 'SIGKILL');
    });
  });
}
