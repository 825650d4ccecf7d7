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

describe.each(methodNames())('%s', (name) => {
  const { settings, defaults } = findMethod(name);
  const switches = Object.keys(settings).filter((setting) => setting.startsWith('compat.'));

  it.runIf(switches.length > 0)('has every switch in docs/compat.md, with its default', () => {
    for (const setting of switches) {
      const value = defaults[setting];
      const shown = `\`${Array.isArray(value) ? JSON.stringify(value) : String(value)}\``;
      const own = rows.filter((cells) => cells[1] === `\`${setting.slice('compat.'.length)}\``);
      expect(
        own.map((cells) => cells[2]),
        setting,
      ).toContain(shown);
    }
  });

  it.runIf(name !== 'crane')('has a page of its formulas', () => {
    expect(existsSync(page(`methods/${name}.md`))).toBe(true);
  });
});
