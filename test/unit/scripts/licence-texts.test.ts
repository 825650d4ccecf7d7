/** What npm installs with the packages, and the licence text of each part. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installedParts } from '../../../scripts/installed-parts.mjs';
import { licenceTexts } from '../../../scripts/licence-texts.mjs';

const root = join(import.meta.dirname, '../../..');
const readJson = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const lock = readJson('package-lock.json');
const partsOf = (manifest: string) => installedParts(lock, Object.keys(readJson(manifest).dependencies));

describe('installed parts', () => {
  it('are those that the lock does not keep for development, none left out and none twice', () => {
    const entries = Object.entries<{ version: string; dev?: boolean }>(lock.packages);
    const wanted = entries
      .filter(([path, { dev }]) => path !== '' && !dev)
      .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`);
    expect(partsOf('package.json').map(({ id }) => id)).toEqual([...new Set(wanted)].sort());
  });

  it('are the nearest upwards, optional peers only where they are asked for', () => {
    const packages = {
      'node_modules/a': { version: '1.0.0', dependencies: { b: '1' }, optionalDependencies: { gone: '1' } },
      'node_modules/a/node_modules/b': {
        version: '1.0.0',
        peerDependencies: { c: '1', d: '1' },
        peerDependenciesMeta: { d: { optional: true } },
      },
      'node_modules/b': { version: '2.0.0' },
      'node_modules/c': { version: '3.0.0', dependencies: { b: '2' }, os: ['aix'] },
      'node_modules/d': { version: '4.0.0' },
    };
    const told = installedParts({ packages }, ['a']);
    expect(told.map(({ id, paths, isForPlatform }) => [id, paths, isForPlatform])).toEqual([
      ['a@1.0.0', ['node_modules/a'], false],
      ['b@1.0.0', ['node_modules/a/node_modules/b'], false],
      ['b@2.0.0', ['node_modules/b'], false],
      ['c@3.0.0', ['node_modules/c'], true],
    ]);
    expect(() => installedParts({ packages }, ['e'])).toThrow(
      'e, asked for by "", is not in package-lock.json',
    );
  });
});

describe('licence texts', () => {
  it.each(['package.json', 'packages/engine/package.json'])(
    'name every part of %s, the same bytes again',
    (manifest) => {
      const parts = partsOf(manifest);
      expect(parts.length).toBeGreaterThan(20);
      const text = licenceTexts(root, parts);
      for (const { id, licence } of parts) expect(text).toContain(`\n${id} (${licence})\n`);
      expect(licenceTexts(root, partsOf(manifest))).toBe(text);
      // each licence by a phrase of its own
      for (const phrase of [
        'GNU LESSER GENERAL PUBLIC LICENSE',
        'GNU GENERAL PUBLIC LICENSE',
        'Apache License',
        'Permission is hereby granted',
      ])
        expect(text).toContain(phrase);
    },
  );

  it('that libvips gives for what is linked into it are those of the version that is installed', () => {
    const own = partsOf('package.json').find(({ name }) => name === '@img/sharp-libvips-linux-x64');
    const readme = join(root, own!.paths[0]!, 'README.md');
    const isHere = process.platform === 'linux' && process.arch === 'x64';
    if (!isHere) return;
    expect(readFileSync(readme, 'utf8')).toContain(
      readFileSync(join(root, 'scripts/licences/libvips.txt'), 'utf8').trim(),
    );
  });

  describe('of packages', () => {
    let folder: string;
    const part = (name: string) => ({
      ...{ id: `${name}@1.0.0`, name, version: '1.0.0', licence: 'MIT', isForPlatform: false },
      paths: [`node_modules/${name}`],
    });
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'crane-licences-'));
      for (const [name, file] of [
        ['one', 'LICENCE.md'],
        ['two', 'license'],
        ['third', 'README.md'],
      ] as const) {
        mkdirSync(join(folder, 'node_modules', name), { recursive: true });
        writeFileSync(join(folder, 'node_modules', name, file), 'words of MIT\r\n');
      }
      writeFileSync(join(folder, 'node_modules', 'two', 'NOTICE'), 'and a notice\n');
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it('come with their notices', () => {
      const text = licenceTexts(folder, [part('one'), part('two')]);
      expect(text).toMatch(/\none@1\.0\.0 \(MIT\)\n=+\n\nwords of MIT\n/);
      expect(text).toMatch(/\ntwo@1\.0\.0 \(MIT\)\n=+\n\nwords of MIT\n\nand a notice\n/);
    });

    it('without a text are named, and nothing is written for the others', () => {
      const parts = [part('one'), part('third'), part('absent')];
      expect(() => licenceTexts(folder, parts)).toThrow('no licence text of third@1.0.0, absent@1.0.0');
    });
  });
});
