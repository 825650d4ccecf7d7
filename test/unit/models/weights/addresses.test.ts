import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backboneNames, backbones } from '../../../../src/models/backbones.js';
import { publicTable } from '../../../../src/models/weights/addresses.js';
import { wholeFixtures } from './whole-fixtures.js';
import { sha256 } from './workplace.js';

const { files, models } = publicTable;
const inPlace = new URL('../../../parity/data/', import.meta.url).pathname;

describe('the table of addresses', () => {
  it('has each name and each file once', () => {
    const names = [...files, ...models].map(({ name }) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(files.map(({ file }) => file)).size).toBe(files.length);
    expect(new Set(files.map(({ url }) => url)).size).toBe(files.length);
  });

  it('fetches over https only, and names where each address was seen', () => {
    for (const { url, seenIn, licence } of files) {
      expect(new URL(url).protocol).toBe('https:');
      expect(seenIn).toMatch(/at [0-9a-f]{8}/);
      expect(licence).toMatch(/^(MIT|Apache-2\.0)$/);
    }
  });

  it("states OpenAI's sha256 as their addresses do", () => {
    const openai = files.filter(({ url }) => url.includes('openaipublic'));
    expect(openai).toHaveLength(4);
    for (const { url, sha256: sum, file } of openai) expect(url.endsWith(`/${sum}/${file}`)).toBe(true);
  });

  it("states the first digits of open_clip's sha256 as their loader reads them off the address", () => {
    const openclip = files.filter(({ url }) => url.includes('mlfoundations'));
    expect(openclip.map(({ name }) => name)).toEqual(['ViT-B-16-plus-240']);
    for (const { url, sha256Begins, file } of openclip) {
      expect(url.endsWith(`/${file}`)).toBe(true);
      expect(file.endsWith(`-${sha256Begins}.pt`)).toBe(true);
      expect(sha256Begins).toMatch(/^[0-9a-f]{8}$/);
    }
  });

  it('has an address for every backbone, with the sizes that stand-ins are made with', () => {
    for (const name of backboneNames) {
      const file = files.find((row) => row.name === name);
      const { width, layers, patch, grid } = backbones[name].sizes.vision;
      expect(file, name).toBeDefined();
      expect(patch * grid).toBe(backbones[name].side);
      if (file?.expected) expect(file.expected.vision).toEqual({ width, layers, patch, grid });
    }
  });

  it('has either a checksum or sizes to compare with', () => {
    for (const file of files) {
      expect(file.sha256 === undefined, file.name).toBe(file.expected !== undefined);
      if (file.sha256) expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it('has every file that a model needs', () => {
    const names = files.map(({ name }) => name);
    for (const { weights, source, prompts } of models) {
      for (const name of [weights, ...(source ? [source] : []), ...prompts.map(({ file }) => file)])
        expect(names).toContain(name);
    }
  });
});

describe("the authors' prompts", () => {
  const prompts = files.filter(({ learnedOn }) => learnedOn !== undefined);

  it.for(prompts.map((file) => [file.name, file] as const))(
    '%s: the sha256 is that of the copy',
    async ([, file], { skip }) => {
      const folders = wholeFixtures ? [inPlace, wholeFixtures] : [inPlace];
      const copies = folders.map((folder) => readFile(join(folder, 'prompts', file.file)));
      const content = await Promise.any(copies).catch(() => undefined);
      if (!content && !wholeFixtures) skip('only some copies are in the repository');
      expect(content && sha256(content)).toBe(file.sha256);
    },
  );
});
