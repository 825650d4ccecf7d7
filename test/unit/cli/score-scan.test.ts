/** What `score` takes of folders and lists, and what it says that it leaves out: docs/field-cases.md by its numbers. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { type CliSurroundings, runInProcess } from './run-in-process.js';

let folder: string;
let model: string;
let pictures: string;
beforeEach(async () => {
  folder = await makeToyFolder();
  model = (await makeToyModel(join(folder, 'toy model'))).folder;
  pictures = join(folder, 'pictures');
  await mkdir(pictures);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const score = (args: string[], surroundings?: CliSurroundings) =>
  runInProcess(['score', '--model', model, ...args], surroundings);
const put = async (...names: string[]) => {
  for (const [at, name] of names.entries()) {
    await mkdir(join(pictures, name, '..'), { recursive: true });
    if (/\.(png|jpg)$/.test(name)) await writePicture(join(pictures, name), 40 + at);
    else await writeFile(join(pictures, name), '');
  }
};
const inputsOf = (run: Awaited<ReturnType<typeof score>>) =>
  run.lines().map(({ input }) => String(input).replace(`${pictures}/`, ''));

describe('C3: masks among the pictures', () => {
  beforeEach(() =>
    put('a.png', 'a_mask.png', 'b.png', 'ground_truth/hole/x.png', 'kind/y.png', 'kind/y_GT.png'),
  );

  it('of a folder are left out and counted; told so, they are scored', async () => {
    const run = await score([pictures, '--recursive']);
    expect([run.code, inputsOf(run)]).toEqual([0, ['a.png', 'b.png', 'kind/y.png']]);
    expect(run.stderr).toBe('3 pictures; left out: 3 masks of pictures (--include-masks scores them)\n');
    const all = await score([pictures, '--recursive', '--include-masks']);
    expect(inputsOf(all)).toHaveLength(6);
    expect(all.stderr).toBe('6 pictures\n');
  });

  it('of a glob and a list are left out too', async () => {
    const glob = await score([join(pictures, '*.png')]);
    expect([inputsOf(glob), glob.stderr]).toEqual([
      ['a.png', 'b.png'],
      `2 pictures; left out: 1 mask of a picture (${join(pictures, 'a_mask.png')}; --include-masks scores them)\n`,
    ]);
    const list = await score(['-'], { stdin: [`${pictures}/a.png\n${pictures}/a_mask.png\n`] });
    expect(inputsOf(list)).toEqual(['a.png']);
  });

  it('named alone are refused with a code, beside other names left out', async () => {
    const alone = await score([join(pictures, 'a_mask.png')]);
    expect([alone.code, alone.stdout]).toEqual([3, '']);
    expect(alone.stderr).toMatch(/a_mask\.png: is the mask of .*a\.png, expected a picture \[E_INPUT_MASK\]/);
    expect((await score([join(pictures, 'a_mask.png'), '--include-masks'])).lines()).toHaveLength(1);
    expect(inputsOf(await score(['a.png', 'a_mask.png'].map((name) => join(pictures, name))))).toEqual([
      'a.png',
    ]);
  });

  it('a folder called masks that stands alone holds pictures', async () => {
    await rm(pictures, { recursive: true });
    await put('masks/1.png', 'masks/2.png');
    expect(inputsOf(await score([pictures, '--recursive']))).toHaveLength(2);
  });
});

describe('C4: the account of a scan', () => {
  it('names what is left out and why, in one line', async () => {
    await put('a.png', 'b.jxl', 'c.JXL', 'd.tga', 'Thumbs.db', '.hidden.png', 'note.txt', 'sub/e.png');
    const run = await score([pictures]);
    expect(run.stderr).toBe(
      `1 picture; left out: 3 pictures of kinds that are not read (2 jxl, 1 tga), 1 subfolder (${pictures}/sub; --recursive enters them), ` +
        `1 file or folder of rubbish (${pictures}/Thumbs.db), 1 hidden file or folder (${pictures}/.hidden.png), 1 other file (${pictures}/note.txt)\n`,
    );
  });

  it('is JSON for programs, and says nothing where nothing is missed', async () => {
    await put('a.png', 'b.jxl');
    expect(JSON.parse((await score([pictures, '--json'])).stderr)).toMatchObject({
      scan: { pictures: 1, leftOut: [{ reason: 'kind-not-read', count: 1 }] },
    });
    expect((await score([join(pictures, 'a.png'), '--json'])).stderr).toBe('');
  });

  it('where nothing else is there, the error names it', async () => {
    await put('b.jxl');
    const run = await score([pictures]);
    expect([run.code, run.stderr]).toEqual([
      3,
      expect.stringContaining('1 are of kinds that are not read (jxl)'),
    ]);
  });
});

describe('C14: lists as people make them', () => {
  const list = (text: string | Buffer) => score(['-'], { stdin: [text] });
  it.each([
    [
      'UTF-16, as PowerShell redirects',
      (a: string, b: string) => Buffer.from(`\ufeff${a}\r\n${b}\r\n`, 'utf16le'),
    ],
    ['UTF-16 without its mark', (a: string, b: string) => Buffer.from(`${a}\r\n${b}\r\n`, 'utf16le')],
    ['parted by zeros, as find -print0', (a: string, b: string) => `${a}\0${b}\0`],
    ['quoted', (a: string, b: string) => `"${a}"\r\n"${b}"`],
    ['UTF-8 with its mark', (a: string, b: string) => `\ufeff${a}\n${b}`],
  ])('%s', async (_, make) => {
    await put('a.png', 'bü.png');
    const run = await list(make(join(pictures, 'a.png'), join(pictures, 'bü.png')));
    expect([run.code, inputsOf(run)]).toEqual([0, ['a.png', 'bü.png']]);
  });

  it('a name with a line break is whole in a list parted by zeros', async () => {
    await put('a.png', 'new\nline.png');
    const run = await list(`${join(pictures, 'a.png')}\0${join(pictures, 'new\nline.png')}\0`);
    expect(inputsOf(run)).toEqual(['a.png', 'new\nline.png']);
  });

  it('zeros within lines are told in one sentence, and never reach the terminal', async () => {
    const run = await list('a.png\nb\0.png\n');
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('[E_TEXT_ENCODING]')]);
    expect(run.stdout + run.stderr).not.toContain('\0');
  });
});

describe('C15: names that are not UTF-8', () => {
  const odd = (name: string) => Buffer.concat([Buffer.from(`${pictures}/`), Buffer.from(name, 'latin1')]);
  it('in folders and lists are read by their bytes, each under a name of its own', async () => {
    await put('a.png');
    const bytes = await import('node:fs/promises').then((fs) => fs.readFile(join(pictures, 'a.png')));
    await writeFile(odd('Gro\xdf.png'), bytes);
    await writeFile(odd('\xff.png'), bytes);
    const run = await score([pictures]);
    expect([run.code, inputsOf(run)]).toEqual([0, ['Gro\\xdf.png', '\\xff.png', 'a.png']]);
    const list = await score(['-'], { stdin: [Buffer.concat([odd('\xff.png'), Buffer.from('\n')])] });
    expect(list.lines()).toMatchObject([{ input: `${pictures}/\\xff.png`, width: 32 }]);
  });

  it('by a text that cannot name them, are told with the true reason', async () => {
    const run = await score([join(pictures, 'Gro\ufffd.png')]);
    expect(run.lines()).toMatchObject([
      { error: { code: 'E_INPUT_NOT_FOUND', hint: expect.stringContaining('not UTF-8') } },
    ]);
  });
});

describe('C16: symbolic links', () => {
  beforeEach(async () => {
    await put('a.png', 'real/b.png');
    await symlink('real', join(pictures, 'link'));
    await symlink('..', join(pictures, 'real/up'));
    await symlink('/nowhere/x.png', join(pictures, 'gone.png'));
  });

  it('to folders are not entered and broken ones are counted', async () => {
    const run = await score([pictures, '--recursive']);
    expect(inputsOf(run)).toEqual(['a.png', 'real/b.png']);
    expect(run.stderr).toContain('2 links to folders (--follow-links enters them), 1 broken link');
  });

  it('are entered once where that is asked for', async () => {
    const run = await score([pictures, '--recursive', '--follow-links']);
    expect(inputsOf(run)).toEqual(['a.png', 'link/b.png']);
    expect(run.stderr).toContain('folders that were entered before');
  });
});
