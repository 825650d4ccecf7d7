/** What `score` says of pictures that may not be what they seem: docs/field-cases.md, C1. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';
import { runInProcess } from './run-in-process.js';

let folder: string;
let model: string;
let pictures: string;
beforeEach(async () => {
  folder = await makeToyFolder();
  model = (await makeToyModel(join(folder, 'toy model'))).folder;
  pictures = join(folder, 'pictures');
  await mkdir(pictures);
  // 12 bits in 16, as a camera gives them: values 0 to 4080.
  const samples = Buffer.alloc(2 * 16 * 16);
  for (let at = 0; at < 256; at++) samples.writeUInt16BE(at * 16, 2 * at);
  const head = Buffer.from('P5 16 16 65535 ');
  await writeFile(join(pictures, 'a.pgm'), Buffer.concat([head, samples]));
  // As large at most, but another picture: equal scores would be said too.
  samples.fill(0, 0, 128);
  await writeFile(join(pictures, 'b.pgm'), Buffer.concat([head, samples]));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const score = (...args: string[]) => runInProcess(['score', pictures, '--model', model, ...args]);

describe('pictures of fewer bits than their file holds', () => {
  it('are named once, with the option that mends it', async () => {
    const run = await score();
    expect(run.stderr.match(/warning:/g)).toHaveLength(1);
    expect(run.stderr).toMatch(/warning: 2 of 2 pictures, for instance .*a\.pgm: .*--bit-depth 12/);
    expect(run.lines()).toMatchObject([
      { bitDepth: 16, warnings: [{ kind: 'bit-depth', bits: 12 }] },
      { bitDepth: 16, warnings: [{ kind: 'bit-depth', bits: 12 }] },
    ]);
  });

  it('are scored as they were meant with it, and nothing is said', async () => {
    const run = await score('--bit-depth', '12');
    expect(run.stderr).not.toContain('warning');
    const [line] = run.lines();
    expect(line).toMatchObject({ bitDepth: 12 });
    expect(line).not.toHaveProperty('warnings');
  });

  it('are one JSON object on stderr for programs', async () => {
    const run = await score('--json');
    expect(JSON.parse(run.stderr)).toMatchObject({ warnings: [expect.stringContaining('--bit-depth 12')] });
  });
});
