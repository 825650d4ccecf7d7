import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../../../src/pages/report/write-report.js';
import type { TestRun } from '../../../../src/runs/test-run.js';
import { makeFakeAddon } from '../../engine/fake-addon.js';
import { compiledScripts } from './client.js';
import { drawFixturePictures, fixtureRun } from './fixture-run.js';

let folder: string;
let scripts: string[];
let run: TestRun;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane report '));
  scripts = await compiledScripts();
  run = fixtureRun();
  await drawFixturePictures(run, folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const write = (name: string, options: { overwrite?: boolean; mostPictures?: number } = {}) =>
  writeReport(run, {
    folder,
    addon: makeFakeAddon(),
    path: join(folder, name),
    overwrite: false,
    scripts,
    ...options,
  });
const cards = async (path: string) => (await readFile(path, 'utf8')).match(/<li class="card"/g)?.length ?? 0;

describe('the file', () => {
  it('is one, is small, and is never written over unasked', async () => {
    const before = await readdir(folder);
    const path = await write('a.html');
    expect((await readdir(folder)).filter((name) => !before.includes(name))).toEqual(['a.html']);
    expect((await stat(path)).size).toBeLessThan(1_500_000);
    await expect(write('a.html')).rejects.toMatchObject({ code: 'E_EXISTS' });
    await expect(write('a.html', { overwrite: true })).resolves.toBe(path);
  });

  it('has the same bytes for the same run', async () => {
    const [first, second] = [await write('b.html'), await write('c.html')];
    expect(await readFile(second)).toEqual(await readFile(first));
  });

  it('holds no more pictures than wanted, and says how many are left out', async () => {
    const path = await write('few.html', { mostPictures: 5 });
    expect(await cards(path)).toBe(5);
    expect(await readFile(path, 'utf8')).toContain('28 more pictures left out: this page shows 5 at most');
  });

  it('names pictures that cannot be read any more, and is made without them', async () => {
    const { worstAnomalous } = run.dataSets[1]!.classes[0]!.examples;
    const gone = run.dataSets[1]!.classes[0]!.pictures[worstAnomalous[0]!]!;
    const all = await cards(await write('all.html'));
    await rm(join(run.dataSets[1]!.root, gone.path));
    const path = await write('gone.html');
    expect(await cards(path)).toBe(all - 1);
    expect(await readFile(path, 'utf8')).toContain(`${gone.path} cannot be shown`);
  });

  it('is not written when the work is given up', async () => {
    const signal = AbortSignal.abort();
    const options = {
      folder,
      addon: makeFakeAddon(),
      path: join(folder, 'no.html'),
      overwrite: false,
      scripts,
      signal,
    };
    await expect(writeReport(run, options)).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await expect(stat(join(folder, 'no.html'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
