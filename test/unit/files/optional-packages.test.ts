import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { broughtByNone, notInstalled } from '../../../src/files/optional-packages.js';

const { peerDependencies } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { peerDependencies: Record<string, string> };

describe('a package that is not installed', () => {
  it('is not promised by crane-native where it only names it', () => {
    expect([...broughtByNone].sort()).toEqual(Object.keys(peerDependencies).sort());
    const { hint } = notInstalled('reading HEIC pictures', ['libheif-js']);
    expect(hint).toBe(`npm install libheif-js@${peerDependencies['libheif-js']}`);
  });

  it('is named with its version, beside the package that brings it', () => {
    const { message, hint } = notInstalled('tables', ['csv-parse', 'csv-stringify']);
    expect(message).toContain('"csv-parse", "csv-stringify"');
    expect(hint).toMatch(/^npm install csv-parse@\S+ csv-stringify@\S+, or take the package crane-native/);
  });
});
