/** What can be told before the first picture is read is told then, and leaves nothing behind. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { expect, it } from 'vitest';
import type { TrainerOptions } from '../../../src/train/trainer.js';
import { errorOf, fake, useWorkplace } from './workplace.js';

const work = useWorkplace();

async function stagesUntilError(options: Partial<TrainerOptions> & { out: string }, addon = fake()) {
  const trainer = await work.trainer(options, { addon });
  const stages = new Set<string>();
  const error = await errorOf(trainer.run({ onProgress: ({ stage }) => stages.add(stage) }));
  return { error, stages: [...stages].filter((stage) => stage !== 'note') };
}

it('prompts to begin with that do not fit', async () => {
  const start = work.at('no prompts.pth');
  await writeFile(start, 'something else');
  const checkStart = (given: object) => {
    if (!('seed' in given)) throw Object.assign(new Error('no container'), { code: 'E_WEIGHTS_CONTAINER' });
  };
  const out = work.at('bad start');
  const { error, stages } = await stagesUntilError({ out, start }, fake({ checkStart }));
  expect([error.code, stages]).toEqual(['E_WEIGHTS_CONTAINER', []]);
  expect(await readdir(work.folder)).not.toContain('bad start');
});

it('prompts to begin with that are not there', async () => {
  const { error, stages } = await stagesUntilError({ out: work.at('no start'), start: 'nowhere.pth' });
  expect([error.code, stages]).toEqual(['E_PROMPTS', []]);
  expect(await readdir(work.folder)).not.toContain('no start');
});

it('a folder to begin with in which nothing was learned', async () => {
  const start = work.at('no training');
  await mkdir(start);
  const { error, stages } = await stagesUntilError({ out: work.at('no start'), start });
  expect([error.code, error.message, stages]).toEqual([
    'E_PROMPTS',
    `${start}: has no prompts.safetensors`,
    [],
  ]);
});

it('an output folder that is a file', async () => {
  const out = work.at('a file as out');
  await writeFile(out, 'mine');
  const { error, stages } = await stagesUntilError({ out });
  expect(error).toMatchObject({
    code: 'E_IO_WRITE',
    message: expect.stringContaining('is a file, expected a folder'),
    hint: expect.stringContaining('--out'),
  });
  expect(stages).toEqual([]);
  expect(await readFile(out, 'utf8')).toBe('mine');
});

it('a cache that cannot be made', async () => {
  await writeFile(work.at('a file as cache'), '');
  const out = work.at('bad cache');
  const { error, stages } = await stagesUntilError({ out, cache: work.at('a file as cache', 'below') });
  expect(error).toMatchObject({ code: 'E_IO_WRITE', hint: expect.stringContaining('--cache') });
  expect(stages).toEqual([]);
  expect(await readdir(work.folder)).not.toContain('bad cache');
});

it('another run in the same folder, and only while it runs', async () => {
  const out = work.at('shared');
  const first = await work.trainer({ out, resume: true, epochs: 3 });
  const events = first.run()[Symbol.asyncIterator]();
  await events.next();
  const { error } = await stagesUntilError({ out, resume: true, epochs: 3 });
  expect(error).toMatchObject({ code: 'E_IN_USE', message: expect.stringContaining(`${process.pid}`) });
  while (!(await events.next()).done);
  const alone = work.at('alone');
  await (await work.trainer({ out: alone, epochs: 3 })).run();
  expect(await work.bytesOf(out)).toEqual(await work.bytesOf(alone));
  const again = await (await work.trainer({ out, resume: true, epochs: 3 })).run();
  expect(again.runs).toHaveLength(1);
});

it('the lock of a process that was killed keeps nobody out', async () => {
  const out = work.at('left behind');
  const child = spawn(process.execPath, ['-e', '']);
  const pid = await new Promise((resolve) => child.on('exit', () => resolve(child.pid)));
  await mkdir(out);
  await writeFile(work.at('left behind', '.lock'), JSON.stringify({ pid, host: os.hostname(), id: 'x' }));
  const { runs } = await (await work.trainer({ out, epochs: 1 })).run();
  expect(runs).toHaveLength(1);
  expect(await readdir(out)).not.toContain('.lock');
});
