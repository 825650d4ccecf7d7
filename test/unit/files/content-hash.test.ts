import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { contentHash } from '../../../src/files/content-hash.js';
import { leaveOut } from '../../../src/train/leave-out.js';

const files = vi.hoisted(() => ({ open: 0, most: 0 }));
vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>();
  const createReadStream = (...given: Parameters<typeof real.createReadStream>) => {
    files.most = Math.max(files.most, ++files.open);
    return real.createReadStream(...given).on('close', () => files.open--);
  };
  return { ...real, createReadStream };
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane-hash-'));
  await mkdir(join(folder, 'copies'));
  for (let at = 0; at < 200; at++) await writeFile(join(folder, 'copies', `${at}.png`), `picture ${at}`);
  await writeFile(join(folder, 'a.png'), 'picture 7');
  await writeFile(join(folder, 'b.png'), 'picture 7');
  await writeFile(join(folder, 'c.png'), 'another');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('a folder of any number of pictures is left out with a few files open at a time', async () => {
  const images = ['a.png', 'b.png', 'c.png'].map((name) => join(folder, name));
  const left = await leaveOut([join(folder, 'copies')], images);
  expect([...left].sort()).toEqual(images.slice(0, 2));
  expect(files.most).toBeGreaterThan(0);
  expect(files.most).toBeLessThanOrEqual(16);
});

it('files that cannot be read hold no place', async () => {
  const missing = Array.from({ length: 40 }, (_, at) => contentHash(join(folder, `none ${at}.png`)));
  expect(await Promise.allSettled(missing)).toHaveLength(40);
  expect(await contentHash(join(folder, 'c.png'))).toMatch(/^[0-9a-f]{64}$/);
});
