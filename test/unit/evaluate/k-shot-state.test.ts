import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DrawFound, KShotState } from '../../../src/evaluate/k-shot-state.js';
import type { PlacedItem } from '../../../src/evaluate/test-data.js';

let out: string;
let items: PlacedItem[];

beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'crane shots-'));
  const image = join(out, 'picture.png');
  const mask = join(out, 'mask.png');
  await writeFile(image, 'a picture');
  await writeFile(mask, 'its mask');
  items = [
    {
      index: 0,
      image,
      imagePath: 'picture.png',
      masks: [mask],
      maskPath: 'mask.png',
      maskPaths: ['mask.png'],
      className: 'part',
      kind: 'hole',
      isAnomalous: true,
    } as PlacedItem,
  ];
});
afterEach(() => rm(out, { recursive: true, force: true }));

const found: DrawFound = { scored: { normal: 1, anomalous: 1 }, figures: { image_auroc: 0.5 }, failed: [] };

/** How often the draw was scored when it was asked for. */
async function scoredFor(label: string, columns = ['image_auroc']): Promise<number> {
  let count = 0;
  // Another process: what is remembered is in files.
  const told = await new KShotState(out).draw({ label, items, columns }, async () => {
    count++;
    return found;
  });
  expect(told).toEqual(found);
  return count;
}

describe('a draw', () => {
  it('is scored once, and anew when anything that decides it changed', async () => {
    expect(await scoredFor('a')).toBe(1);
    expect(await scoredFor('a')).toBe(0);
    expect(await scoredFor('b')).toBe(1);
    expect(await scoredFor('a', ['image_auroc', 'image_ap'])).toBe(1);
    await writeFile(items[0]!.masks[0]!, 'another mask');
    expect(await scoredFor('a')).toBe(1);
    await writeFile(items[0]!.image, 'another picture');
    expect(await scoredFor('a')).toBe(1);
    expect(await scoredFor('a')).toBe(0);
  });

  it.each(['', '{', 'null', '[]', '{"scored":{},"figures":{}}'])(
    'whose file holds %o is scored again',
    async (text) => {
      await scoredFor('a');
      const folder = join(out, 'k-shot-state', 'draws');
      const [name] = await readdir(folder);
      await writeFile(join(folder, name!), text);
      expect(await scoredFor('a')).toBe(1);
      expect(await scoredFor('a')).toBe(0);
    },
  );
});

it('a draw of an earlier version, which has no checksum, is read', async () => {
  await scoredFor('a');
  const folder = join(out, 'k-shot-state', 'draws');
  await writeFile(join(folder, (await readdir(folder))[0]!), JSON.stringify(found));
  expect(await scoredFor('a')).toBe(0);
});

it('a draw of which a digit was changed is scored again', async () => {
  await scoredFor('a');
  const folder = join(out, 'k-shot-state', 'draws');
  const path = join(folder, (await readdir(folder))[0]!);
  const text = await readFile(path, 'utf8');
  expect(text).toContain('"image_auroc":0.5');
  await writeFile(path, text.replace('"image_auroc":0.5', '"image_auroc":0.9'));
  expect(await scoredFor('a')).toBe(1);
});

describe('what an ended run left', () => {
  const start = (how: { resume: boolean; force: boolean }) => new KShotState(out).begin(how);

  it('is refused, gone on with or taken away, as it was asked', async () => {
    await start({ resume: false, force: false });
    await mkdir(join(out, 'k-shot-state', 'rows'), { recursive: true });
    await expect(start({ resume: false, force: false })).rejects.toMatchObject({ code: 'E_EXISTS' });
    await start({ resume: true, force: false });
    expect(await readdir(out)).toContain('k-shot-state');
    await start({ resume: true, force: true });
    expect(await readdir(out)).toContain('k-shot-state');
    await start({ resume: false, force: true });
    expect(await readdir(out)).not.toContain('k-shot-state');
  });
});
