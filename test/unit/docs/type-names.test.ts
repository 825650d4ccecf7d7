/** One concept, one name: two types that others may name are not called the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Scripts of pages are programs of their own; a method is a namespace of its own, which no other room names. */
const k_apart = /\/client\/|^methods\/\w+\/\w+\.h$/;

function namesIn(folder: string, ending: RegExp, declared: RegExp): Map<string, string[]> {
  const homes = new Map<string, string[]>();
  for (const path of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
    if (!ending.test(path) || k_apart.test(path)) continue;
    for (const [, name] of readFileSync(join(root, folder, path), 'utf8').matchAll(declared))
      homes.set(name!, [...(homes.get(name!) ?? []), path]);
  }
  return homes;
}

function twice(homes: Map<string, string[]>): [string, string[]][] {
  return [...homes].filter(([, paths]) => new Set(paths).size > 1);
}

describe('types of one name', () => {
  it('are not exported twice from src/', () => {
    const homes = namesIn('src', /\.ts$/, /^export (?:declare )?(?:interface|type|class|enum) (\w+)/gm);
    expect(homes.size).toBeGreaterThan(200);
    expect(twice(homes)).toEqual([]);
  });

  it('are not in two headers of native/', () => {
    const homes = namesIn(
      'native',
      /\.(h|cuh)$/,
      /^(?:struct|class|enum class) (\w+)(?: final)?(?: : [^{;]*)? \{/gm,
    );
    expect(homes.size).toBeGreaterThan(100);
    // The one vector type and its pairs of bfloat16, once for each set of instructions.
    for (const name of ['Vec', 'PairCells']) homes.delete(name);
    expect(twice(homes)).toEqual([]);
  });
});
