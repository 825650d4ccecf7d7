/** What a model's folder says of its samples, and what may not be in it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../../../src/models/model-json.js';
import { readGood } from '../../../../src/pages/demo/by-good.js';
import { promptNotes, readSamples } from '../../../../src/pages/demo/demo-run.js';
import type { PagePicture } from '../../../../src/pages/demo/page.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane demo ä '));
  for (const name of ['samples', 'normals']) await mkdir(join(folder, name));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sample = { picture: 'a/b.jpg', mask: null, set: 's', kind: 'good', anomalous: false };
const samplesOf = async (text: string) => {
  await writeFile(join(folder, 'samples', 'samples.json'), text);
  return readSamples({ name: 'm', folder });
};

describe('the list of samples', () => {
  it('names pictures below its folder', async () => {
    expect(await samplesOf(JSON.stringify([sample]))).toEqual([sample]);
  });

  it.each([
    ['is no JSON', '{', /samples\.json: .*JSON/],
    ['is no list', '{}', /expected array/i],
    ...['../x.png', 'a/../../x.png', '/x.png', 'a\\..\\x.png', 'c:x.png', ''].map(
      (picture) =>
        [
          `names ${picture}`,
          JSON.stringify([{ ...sample, picture }]),
          /0\.picture: expected the name/,
        ] as const,
    ),
    [
      'names a mask elsewhere',
      JSON.stringify([{ ...sample, mask: '../x.png' }]),
      /0\.mask: expected the name/,
    ],
  ] as const)('that %s is refused', async (_what, text, message) => {
    await expect(samplesOf(text)).rejects.toMatchObject({
      code: 'E_MODEL_JSON',
      message: expect.stringMatching(message),
    });
  });
});

it('the list of good pictures names none elsewhere', async () => {
  await writeFile(join(folder, 'normals', 'normals.json'), JSON.stringify({ s: ['../x.png'] }));
  await expect(readGood({ folder } as Model)).rejects.toMatchObject({ code: 'E_MODEL_JSON' });
});

it('a model without prompts has no notes about them', () => {
  const pictures = [{ truth: { set: 's', kind: 'good', anomalous: false } }] as PagePicture[];
  expect(promptNotes({ prompts: { sets: {} } }, pictures)).toEqual([]);
  const prompts = { default: 'a', sets: { a: { learnedOn: ['s'] } } } as unknown as Model['prompts'];
  expect(promptNotes({ prompts }, pictures)).toHaveLength(2);
});
