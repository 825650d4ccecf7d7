import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { findingTable } from '../../../src/data/check/finding.js';
import { mendOf } from '../../../src/data/check/mend.js';
import { madeOnWindows } from '../../../src/data/place-entries.js';
import { shellOption, shellPath, shellWord } from '../../../src/terminal/shell-word.js';
import { visible } from '../../../src/terminal/visible.js';

/** The arguments of each `npx` that bash runs of a line. */
function argumentsIn(line: string): string[][] {
  const script = `npx() { printf '%s\\0' "$@" ''; }\n${line}\n`;
  const out = execFileSync('bash', ['-c', script], { encoding: 'utf8' });
  return out
    .split('\0\0')
    .slice(0, -1)
    .map((run) => run.split('\0'));
}

const k_names = [
  'plain/name-1_2.png',
  '',
  'a b',
  "it's",
  'say "x"',
  'back\\slash',
  'D:\\data\\1.png',
  '$(touch pwned) `id` $HOME',
  '!event!',
  'glob*?[1]{a,b}',
  '~root',
  '#1',
  '=cmd',
  'a;b&c|d<e>f',
  'line\nbreak',
  'tab\tand\rreturn',
  'esc\u001b[31m red',
  '\u202egnp.exe',
  'nel\u0085and\u2028',
  "both\n'\\ of them",
  'täst 日本語 🔥',
];

describe('a word of a command that is told', () => {
  it.each(k_names)('%j comes through bash, and steers no terminal', (name) => {
    expect(argumentsIn(`npx ${shellWord(name)}`)).toEqual([[name]]);
    expect(visible(shellWord(name))).toBe(shellWord(name));
    expect(shellWord(name)).not.toMatch(/[\u202e\u2028]/);
  });

  it('stays as it is where it means nothing to a shell', () => {
    for (const name of ['parts/cap_01.png', '/data/A,B:1%+@2', './x']) expect(shellWord(name)).toBe(name);
  });

  it('is no option and no list where it is a path', () => {
    expect(argumentsIn(`npx ${shellPath('-n.png')} ${shellPath('@list')} ${shellPath('a@b')}`)).toEqual([
      ['./-n.png', './@list', 'a@b'],
    ]);
    expect(argumentsIn(`npx ${shellOption('model', '-x y')} ${shellOption('model', 'x y')}`)).toEqual([
      ['--model=-x y', '--model', 'x y'],
    ]);
  });
});

it.each(Object.keys(findingTable) as (keyof typeof findingTable)[])(
  'what mends %s can be pasted, whatever the root is called',
  (kind) => {
    const root = '-p \\ \'q\' "r" $(false)\n\u001b[0m';
    for (const detail of [undefined, madeOnWindows, 'say so with --bit-depth 12 (bitDepth)']) {
      const text = mendOf({ kind, ...(detail === undefined ? {} : { detail }) }, root);
      expect(visible(text)).toBe(text);
      for (const command of text.split(/(?=npx crane-native)/).slice(1)) {
        const line = command.replace(/; (else|links|other) .*$/, '').replace(/; links:.*$/, '');
        const [words] = argumentsIn(line);
        expect(words!.slice(0, 2)).toEqual(['crane-native', 'data']);
        if (words!.length > 3) expect(words![3]).toBe(`./${root}`);
      }
    }
  },
);

it('an index that was made on Windows needs a new one, not its files back', () => {
  expect(mendOf({ kind: 'missing-picture', detail: madeOnWindows }, 'set')).toBe(
    'make a new index: npx crane-native data index set --force',
  );
  expect(mendOf({ kind: 'missing-picture' }, 'set')).toContain('put them back');
});
