/** `test` with crane-mini on its own samples: killed in the middle and gone on with. */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { craneNative, inScratch, root, samples } from './crane-native.js';

/** The samples as a data set; each stands there `copies` times, so that there is time to kill. */
async function sampleSet(folder: string, copies: number): Promise<string> {
  for (const file of await readdir(samples)) {
    const [, set, kind, name] = /^(\w+?)-(\w+)-(\w+)\.(?:jpg|png)$/.exec(file) ?? [];
    if (!set || !kind || !name) continue;
    const isMask = name.endsWith('_mask');
    const place = join(folder, isMask ? 'ground_truth' : 'test', set, kind);
    await mkdir(place, { recursive: true });
    for (let copy = 0; copy < copies; copy++)
      await copyFile(
        join(samples, file),
        join(place, isMask ? `${name.slice(0, -5)}_${copy}_mask.png` : `${name}_${copy}.jpg`),
      );
  }
  return folder;
}

async function bytesOf(folder: string): Promise<Record<string, string>> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name !== 'run.json')
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const bytes = await Promise.all(
    files.map(async (path) => [path.slice(folder.length), await readFile(path, 'hex')]),
  );
  return Object.fromEntries(bytes) as Record<string, string>;
}

const main = join(root, 'dist', 'cli', 'main.js');

const linesIn = async (path: string) => (await readFile(path, 'utf8').catch(() => '')).split('\n').length - 1;

/** Ends the process with a signal as soon as the journal has one more line. */
async function endEarly(args: string[], out: string, signal: NodeJS.Signals): Promise<number | null> {
  const journal = join(out, 'state', 'pictures.jsonl');
  const before = await linesIn(journal);
  const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  while (child.exitCode === null && (await linesIn(journal)) <= before) await sleep(20);
  child.kill(signal);
  return ended;
}

describe('test with crane-mini', () => {
  it('killed, then interrupted, then gone on with gives the bytes of a run in one go', async () => {
    await inScratch(async (folder) => {
      const set = await sampleSet(join(folder, 'samples'), 2);
      const out = join(folder, 'ended');
      const small = ['--threads', '1', '--size', '224'];
      const args = (to: string) => ['test', set, '--out', to, ...small, '--bootstrap', '100'];
      expect(await endEarly(args(out), out, 'SIGKILL')).toBeNull();
      expect(await endEarly([...args(out), '--resume'], out, 'SIGINT')).toBe(130);
      const { status } = JSON.parse(await readFile(join(out, 'run.json'), 'utf8'));
      expect(status).toBe('interrupted');
      const resumed = await craneNative([...args(out), '--resume']);
      expect(resumed.code, resumed.stderr).toBe(0);
      const straight = await craneNative(args(join(folder, 'straight')));
      expect(straight.code, straight.stderr).toBe(0);
      expect(resumed.stdout).toBe(straight.stdout);
      expect(await bytesOf(out)).toEqual(await bytesOf(join(folder, 'straight')));
    });
  }, 600_000);

  it('scores as score does, to the last bit', async () => {
    await inScratch(async (folder) => {
      const set = await sampleSet(join(folder, 'samples'), 1);
      const small = ['--threads', '1', '--size', '112'];
      const run = await craneNative(['test', set, '--out', join(folder, 'out'), ...small, '--json']);
      expect(run.code, run.stderr).toBe(0);
      const { dataSets } = JSON.parse(run.stdout);
      const pictures = dataSets[0].classes.flatMap((of: { pictures: object[] }) => of.pictures) as {
        path: string;
        score: number;
      }[];
      const chosen = [pictures[0]!, pictures.at(-1)!];
      const paths = chosen.map(({ path }) => join(set, path));
      const scored = await craneNative(['score', ...paths, ...small, '--format', 'jsonl']);
      const scores = scored.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).score);
      expect(scores).toEqual(chosen.map(({ score }) => score));
    });
  }, 600_000);
});
