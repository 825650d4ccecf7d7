/** Pages name files and link to each other: what they name is there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
// What was true of an earlier version stays in its section of the changelog.
const pages = globSync(['*.md', 'docs/**/*.md', 'test/**/*.md', '!CHANGELOG.md'], { cwd: root });

const k_link = /\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)/g;
/** A path of the repository in code font; `*` and `<name>` stand for any name. */
const k_path =
  /`((?:native|bindings|src|test|scripts|docs|cmake|models|packages|examples)\/[\w./*<>{},+-]*)`/g;

function missingIn(text: string, page: string): string[] {
  const links = [...text.matchAll(k_link)]
    .map(([, target]) => join(dirname(page), decodeURIComponent(target!)))
    .filter((target) => !existsSync(join(root, target)));
  const paths = [...text.matchAll(k_path)]
    .map(([, path]) => path!)
    .filter((path) => {
      // A recipe's new file: only its folder is there already.
      const pattern = path.includes('<') ? dirname(path.slice(0, path.indexOf('<') + 1)) : path;
      return !existsSync(join(root, pattern)) && globSync(pattern, { cwd: root, dot: true }).length === 0;
    });
  return [...links, ...paths].map((target) => `${page}: ${target}`);
}

describe('pages', () => {
  it('link to pages and name files that are there', () => {
    expect(pages.length).toBeGreaterThan(15);
    expect(pages.flatMap((page) => missingIn(readFileSync(join(root, page), 'utf8'), page))).toEqual([]);
  });

  it.each(['[x](no-such.md)', '`src/no-such.ts`', '`native/no-such/*.h`', '`src/no-such/<name>.ts`'])(
    '%s is noticed',
    (text) => expect(missingIn(text, 'docs/x.md')).toHaveLength(1),
  );

  it.each([
    '[x](method.md)',
    '[x](https://example.org)',
    '`src/errors.ts`',
    '`src/options/<name>.ts`',
    '`native/kernels/`',
  ])('%s is fine', (text) => expect(missingIn(text, 'docs/x.md')).toEqual([]));
});
