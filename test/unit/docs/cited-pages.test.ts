/**
 * Comments cite pages as "method.md 4", "method.md 2, step 1", 'method.md 3, "features"', 'performance.md "Training"': the
 * page, its numbered section, the step and the words must be there. A bare name of a page must exist, too.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const sources = globSync(
  [
    '{native,bindings,src,test,scripts}/**/*.{ts,mts,mjs,h,cpp,cu,cuh,py,sh}',
    'CMakeLists.txt',
    'cmake/*.cmake',
    '!test/formats/**',
  ],
  { cwd: root },
);
/** Pages that the product writes, and what this test says of itself. */
const k_notPages = new Set(['results.md', 'grid.md', 'no-such-page.md']);

interface Citation {
  page: string;
  sections: number[];
  step: number | undefined;
  words: string | undefined;
  text: string;
}

const k_citation =
  /([\w./-]*\w\.md)(?!\w)(?:`)?(?: (\d+(?:(?:, | and | to )\d+(?![\d.]))*))?(?:, step (\d+))?(?:,? "([^"]+)")?/g;

/** Comments only, their lines joined: a citation may stand across two. */
function commentsOf(text: string, path: string): string {
  if (/\.(py|sh|cmake|txt)$/.test(path)) return text.replace(/\s*\n\s*#?\s*/g, ' ');
  const parts = text.matchAll(
    /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
  );
  const comments = [...parts].map(([part]) => part).filter((part) => part.startsWith('/'));
  return comments.join('\n').replace(/\s*\n\s*(?:\*(?!\/)|\/\/)?\s*/g, ' ');
}

function citationsIn(comments: string): Citation[] {
  return [...comments.matchAll(k_citation)].map(([text, page, numbers, step, words]) => ({
    page: page!,
    sections: numbersOf(numbers ?? ''),
    step: step === undefined ? undefined : Number(step),
    words,
    text,
  }));
}

/** "3 to 6" means all of them. */
function numbersOf(text: string): number[] {
  const [from, to] = text.split(' to ').map(Number);
  if (to !== undefined) return Array.from({ length: to - from! + 1 }, (_, at) => from! + at);
  return text
    .split(/, | and /)
    .filter(Boolean)
    .map(Number);
}

/** What is wrong with a citation; undefined: nothing. */
function faultOf(citation: Citation, citing: string): string | undefined {
  const { page, sections, step, words } = citation;
  const places = [join('docs', page), join('docs', 'reference', page), page, join(dirname(citing), page)];
  const found = places.map((place) => join(root, place)).find((place) => existsSync(place));
  if (!found) return 'there is no such page';
  if (sections.length === 0 && words === undefined) return undefined;
  const parts = readFileSync(found, 'utf8').split(/^(?=#{1,4} )/m);
  const bodies = sections.map((number) => parts.find((part) => part.startsWith(`## ${number}. `)));
  if (bodies.includes(undefined)) return 'there is no section of that number';
  if (step !== undefined && !bodies.some((body) => new RegExp(`^${step}\\. `, 'm').test(body!)))
    return 'the section has no step of that number';
  if (words === undefined) return undefined;
  const hasWords =
    sections.length > 0
      ? bodies.some((body) => body!.includes(words))
      : parts.some((part) => part.replace(/^#+ /, '').startsWith(`${words}\n`));
  return hasWords ? undefined : 'these words are not there';
}

describe('pages that comments cite', () => {
  it('exist, with their sections', () => {
    const faults: string[] = [];
    const counts = new Map<string, number>();
    for (const path of sources) {
      const comments = commentsOf(readFileSync(join(root, path), 'utf8'), path);
      for (const citation of citationsIn(comments)) {
        if (k_notPages.has(citation.page)) continue;
        counts.set(citation.page, (counts.get(citation.page) ?? 0) + 1);
        const fault = faultOf(citation, path);
        if (fault) faults.push(`${relative(root, join(root, path))}: "${citation.text}": ${fault}`);
      }
    }
    expect(faults).toEqual([]);
    expect(counts.get('method.md')).toBeGreaterThan(60);
  });

  it.each([
    ['// (no-such-page.md)', 'there is no such page'],
    ['// (method.md 11)', 'there is no section of that number'],
    ['// (method.md 1, 5, 99)', 'there is no section of that number'],
    ['// (method.md\n// 12).', 'there is no section of that number'],
    ['/** See method.md 2, step 4. */', 'the section has no step of that number'],
    ['// (method.md 3, "no such words")', 'these words are not there'],
    ['// (performance.md "No such heading")', 'these words are not there'],
  ])('%s is noticed', (comment, fault) => {
    const [citation] = citationsIn(commentsOf(comment, 'any.ts'));
    expect(faultOf(citation!, 'any.ts')).toBe(fault);
  });

  it('strings of a program are not comments', () => {
    expect(citationsIn(commentsOf("const page = 'no-such-page.md'; // said\n", 'any.ts'))).toEqual([]);
  });
});
