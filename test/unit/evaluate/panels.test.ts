/** test --panels: a panel of every picture, with ground truth and map, also after an interrupt. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { panelName } from '../../../src/evaluate/panels.js';
import type { PlacedItem } from '../../../src/evaluate/test-data.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { useWorkplace } from '../train/workplace.js';

const work = useWorkplace();
const test = (args: string[], surroundings: Parameters<typeof runInProcess>[1] = {}) =>
  runInProcess(['test', work.set, '--model', work.model.folder, '--bootstrap', '0', '--no-report', ...args], {
    env: work.env,
    addon: makeTestAddon(),
    ...surroundings,
  });
const names = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
const expected = [
  ...[0, 1, 2].map((at) => `set/tile/good/0000${at}_good_${at}.png`),
  ...[3, 4, 5].map((at) => `set/tile/hole/0000${at}_hole_${at}.png`),
];

describe('test --panels', () => {
  it('draws four fields of every picture: itself, its ground truth, its map, both', async () => {
    const panels = work.at('panels');
    expect((await test(['--out', work.at('out'), '--panels', panels])).code).toBe(0);
    expect(await names(panels)).toEqual(expected);
    // pictures of 32 x 24
    const panel = sharp(join(panels, expected[3]!));
    const { width, height } = await panel.metadata();
    expect([width, height]).toEqual([4 * 32 + 3 * 6, 24 + 26]);
    const truth = await panel.extract({ left: 38, top: 0, width: 32, height: 24 }).raw().toBuffer();
    // The fake engine's resized masks say anomalous somewhere.
    expect(Math.max(...truth)).toBe(255);
    const normal = await sharp(join(panels, expected[0]!))
      .extract({ left: 38, top: 0, width: 32, height: 24 })
      .raw()
      .toBuffer();
    expect(Math.max(...normal)).toBe(0);
  });

  it('has them all after an interrupt, and asks for the same on both sides', async () => {
    const stop = new AbortController();
    const args = ['--out', work.at('stopped'), '--panels', work.at('stopped panels')];
    const addon = makeTestAddon({ check: () => void setTimeout(() => stop.abort(), 1) });
    const first = await test(args, { addon, stop: stop.signal });
    expect(first.code).toBe(130);
    const without = await test(['--out', work.at('stopped'), '--resume']);
    expect(without.stderr).toContain('E_TEST_RESUME');
    expect((await test([...args, '--resume'])).code).toBe(0);
    expect(await names(work.at('stopped panels'))).toEqual(expected);
  });

  it('leaves alone what is in the folder unless told', async () => {
    const panels = work.at('mine');
    await mkdir(panels);
    await writeFile(join(panels, 'notes.txt'), 'mine');
    const run = await test(['--out', work.at('refused'), '--panels', panels]);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('is not empty, and panels go there')]);
    expect(await readFile(join(panels, 'notes.txt'), 'utf8')).toBe('mine');
    await rm(panels, { recursive: true });
  });

  it('of a grid has a folder for each combination', async () => {
    const panels = work.at('grid panels');
    const run = await test(['--out', work.at('grid'), '--panels', panels, '--grid', 'sigma=1,2']);
    expect(run.code).toBe(0);
    expect(new Set((await names(panels)).map((name) => name.split('/')[0]))).toEqual(
      new Set(['sigma=1', 'sigma=2']),
    );
  });
});

it('no name of a class, kind or picture leaves its folder', () => {
  const item = { className: '../..', kind: 'a/b', imagePath: '../x/evil?.png', index: 7 };
  const name = panelName('set', item as unknown as PlacedItem);
  expect(name.split('/')).not.toContain('..');
  expect(name).toMatch(/00007_evil_\.png$/);
  const other = panelName('set', { ...item, index: 8 } as unknown as PlacedItem);
  expect(other).not.toBe(name);
});
