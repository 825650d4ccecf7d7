import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareVersions, readElf } from '../../../src/libtorch/elf.js';
import { libraryClosure, missingCudaRuntime } from '../../../src/libtorch/library-closure.js';
import { fakeElf } from './fake-elf.js';
import { freshFolder, noise, writeTree } from './fake-torch.js';

function elfFile(bytes: Buffer): string {
  const path = join(freshFolder(), 'file.so');
  writeFileSync(path, bytes);
  return path;
}

describe('facts of an ELF file', () => {
  it('reads build id, names, search paths and the newest glibc', () => {
    const path = elfFile(
      fakeElf({
        buildId: '274ade0e6dcd7e46eea36c8a266340f254d817a4',
        soname: 'libx.so.1',
        needed: ['libc10.so', 'libc.so.6'],
        runpath: '$ORIGIN/../lib:$ORIGIN',
        versions: ['GLIBC_2.9', 'GLIBC_2.28', 'GLIBC_2.17', 'GLIBCXX_3.4.30', 'GLIBC_PRIVATE'],
      }),
    );
    expect(readElf(path)).toEqual({
      buildId: '274ade0e6dcd7e46eea36c8a266340f254d817a4',
      soname: 'libx.so.1',
      needed: ['libc10.so', 'libc.so.6'],
      searchPaths: ['$ORIGIN/../lib', '$ORIGIN'],
      glibc: '2.28',
    });
  });

  it.runIf(process.platform === 'linux')('reads a file that a real linker made', () => {
    const facts = readElf(process.execPath);
    expect(facts?.needed).toContain('libc.so.6');
    expect(facts?.glibc).toMatch(/^2\.\d+$/);
  });

  it('says nothing of other files', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('MZ'), noise(5000), Buffer.from('\x7fELF')])
      expect(readElf(elfFile(bytes))).toBeUndefined();
  });

  it('survives every truncation and every flipped byte', () => {
    const whole = fakeElf({ buildId: 'abcd', needed: ['a.so'], versions: ['GLIBC_2.4'] });
    const path = elfFile(whole);
    for (let size = 0; size < whole.length; size++) {
      writeFileSync(path, whole.subarray(0, size));
      expect(() => readElf(path), `${size} bytes`).not.toThrow();
    }
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = flipped[at]! ^ 0xff;
      writeFileSync(path, flipped);
      expect(() => readElf(path), `byte ${at}`).not.toThrow();
    }
  });

  it('compares versions by number', () => {
    expect(compareVersions('2.9', '2.28')).toBeLessThan(0);
    expect(compareVersions('2.28', '2.28.0')).toBe(0);
    expect(compareVersions('13.0', '12.9.9')).toBeGreaterThan(0);
  });
});

describe.runIf(process.platform === 'linux')('the libraries to open', () => {
  it('lists each after those it needs, found along the search paths', () => {
    const site = freshFolder();
    writeTree(site, {
      'torch/lib/libtorch_cpu.so': fakeElf({
        needed: ['libc10.so', 'libcudart.so.13', 'libgomp.so.1', 'libc.so.6'],
        runpath: '$ORIGIN/../../nvidia/cu13/lib:$ORIGIN',
      }),
      'torch/lib/libc10.so': fakeElf({ needed: ['libc.so.6'], runpath: '$ORIGIN' }),
      'torch/lib/libgomp.so.1': fakeElf({ needed: ['libc10.so'] }),
      'nvidia/cu13/lib/libcudart.so.13': fakeElf({}),
    });
    const lib = join(site, 'torch', 'lib');
    const closure = libraryClosure(join(site, 'torch'), 'cpu');
    expect(closure.paths).toEqual([
      join(lib, 'libc10.so'),
      join(site, 'nvidia', 'cu13', 'lib', 'libcudart.so.13'),
      join(lib, 'libgomp.so.1'),
      join(lib, 'libtorch_cpu.so'),
    ]);
    expect(closure.roots).toEqual([join(lib, 'libtorch_cpu.so')]);
    expect(closure.fromSystem).toEqual(['libc.so.6']);
  });

  it('ends although libraries need each other', () => {
    const root = writeTree(freshFolder(), {
      'lib/libtorch_cpu.so': fakeElf({ needed: ['libc10.so'], runpath: '$ORIGIN' }),
      'lib/libc10.so': fakeElf({ needed: ['libtorch_cpu.so'], runpath: '$ORIGIN' }),
    });
    expect(libraryClosure(root, 'cpu').paths).toHaveLength(2);
  });

  it('names libraries of NVIDIA that are nowhere', () => {
    const root = freshFolder();
    mkdirSync(join(root, 'lib'));
    writeFileSync(join(root, 'lib', 'libtorch_cpu.so'), fakeElf({ needed: ['libcupti.so.99', 'libc.so.6'] }));
    expect(missingCudaRuntime(libraryClosure(root, 'cpu'))).toEqual(['libcupti.so.99']);
  });
});
