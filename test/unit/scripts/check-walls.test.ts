import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const k_script = join('scripts', 'check-walls.mjs');
const k_page = 'docs/architecture.md';
/** A copy of what the check reads. */
let copy: string;
const undo: (() => void)[] = [];

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'crane-walls-'));
  for (const part of ['src', 'native', k_page]) cpSync(part, join(copy, part), { recursive: true });
});
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function check() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [k_script, copy], { encoding: 'utf8' });
  return { status, stdout, faults: stderr.trim().split('\n').slice(0, -1) };
}

/** Until the end of the test. */
function change(file: string, edit: (text: string) => string): void {
  const path = join(copy, file);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  undo.push(() => (before === undefined ? rmSync(path) : writeFileSync(path, before)));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, edit(before ?? ''));
}

function plant(file: string, line: string): void {
  change(file, (text) => `${text}${line}\n`);
}

describe('npm run lint holds imports and includes against the rooms of docs/architecture.md', () => {
  it('lets the tree pass as it is', () => {
    expect(check()).toMatchObject({ status: 0, stdout: 'the walls stand\n' });
  });

  it.each([
    ['an import', "import { Engine } from '../engine/engine.js';"],
    ['an import of a type', "import type { Engine } from '../engine/engine.js';"],
    ['something handed on', "export * from '../engine/engine.js';"],
    ['a late import', "const late = import('../engine/engine.js');"],
    ['an import for its effects', "import '../engine/engine.js';"],
  ])('finds %s of a higher room in src/', (_, line) => {
    plant('src/files/npy.ts', line);
    expect(check()).toMatchObject({
      status: 1,
      faults: ['src/files/npy.ts: uses src/engine/engine.ts, but engine is not below files'],
    });
  });

  it('finds an include of a higher room in native/', () => {
    plant('native/image/map.h', '#include "engine/engine.h"');
    plant('native/image/fit.cpp', '#  include <engine/engine.h>');
    expect(check()).toMatchObject({
      status: 1,
      faults: [
        'native/image/fit.cpp: uses native/engine/engine.h, but engine is not below image',
        'native/image/map.h: uses native/engine/engine.h, but engine is not below image',
      ],
    });
  });

  it('keeps rooms of one row apart', () => {
    plant('src/sinks/output-names.ts', "import '../sources/list-inputs.js';");
    plant('native/text/tower.cpp', '#include "vision/tower.h"');
    expect(check().faults).toEqual([
      'src/sinks/output-names.ts: uses src/sources/list-inputs.ts, but sources is not below sinks',
      'native/text/tower.cpp: uses native/vision/tower.h, but vision is not below text',
    ]);
  });

  it('finds ways out of a tree', () => {
    plant('src/files/npy.ts', "import '../../scripts/make-reference.mjs';");
    plant('native/engine/engine.cpp', '#include "../../bindings/engine/results.h"');
    plant('bindings/engine/results.h', '');
    expect(check().faults).toEqual([
      'src/files/npy.ts: uses scripts/make-reference.mjs, outside src/',
      'native/engine/engine.cpp: uses bindings/engine/results.h, outside native/',
    ]);
  });

  it('finds headers that include each other', () => {
    plant('native/image/picture.h', '#include "image/map.h"');
    plant('native/image/map.h', '#include "image/picture.h"');
    expect(check().faults).toEqual([
      expect.stringMatching(/^native\/image\/(map|picture)\.h -> .* -> native\/image\/\1\.h: a circle$/),
    ]);
  });

  it('wants the name of every room, and a room for every name', () => {
    plant('src/attic/box.ts', 'export const box = 1;');
    plant('src/loose.ts', 'export const loose = 1;');
    plant('native/cellar/wine.h', '');
    change(k_page, (text) => text.replace('| `scoring/` |', '| `scoring/`, `gone/` |'));
    expect(check().faults).toEqual([
      `src/attic/box.ts: "attic" is no room of ${k_page}`,
      `src/loose.ts: "loose.ts" is no room of ${k_page}`,
      `${k_page}: src/ has no room "gone"`,
      `native/cellar/wine.h: "cellar" is no room of ${k_page}`,
    ]);
  });

  it('does not pass where the page says nothing', () => {
    change(k_page, (text) => text.replace('## Rooms of `native/`', '## Native'));
    expect(check().status).toBe(1);
  });
});
