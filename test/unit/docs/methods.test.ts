/** Pages about methods are complete: every switch, with its default. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findMethod, methodNames } from '../../../src/methods/registry.js';

const page = (name: string) => fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));
const rows = readFileSync(page('compat.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

const switchesOf = (name: string) =>
  Object.keys(findMethod(name).settings).filter((setting) => setting.startsWith('compat.'));

describe('a method', () => {
  it.each(methodNames().filter((name) => switchesOf(name).length > 0))(
    '%s: docs/compat.md has every switch, with its default',
    (name) => {
      const { defaults } = findMethod(name);
      for (const setting of switchesOf(name)) {
        const value = defaults[setting];
        const shown = `\`${Array.isArray(value) ? JSON.stringify(value) : String(value)}\``;
        const own = rows.filter((cells) => cells[1] === `\`${setting.slice('compat.'.length)}\``);
        expect(
          own.map((cells) => cells[2]),
          setting,
        ).toContain(shown);
      }
    },
  );

  it.each(methodNames())('%s: has a page of its formulas', (name) => {
    expect(existsSync(page(name === 'crane' ? 'method.md' : `methods/${name}.md`))).toBe(true);
  });
});
