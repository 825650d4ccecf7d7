/** Pictures that arrive in a folder: scored once, delivered at least once, over restarts. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { CraneError } from '../../../src/errors.js';
import { type Delivery, WatchJournal } from '../../../src/service/watch/journal.js';
import { jsonLinesReceiver } from '../../../src/service/watch/receivers.js';
import { writePicture } from '../engine/toy-model.js';
import { fillDisk } from '../files/full-disk.js';
import { until } from './fake-service.js';
import { eachWatchedFolder, linesOf } from './watched-folder.js';

const at = eachWatchedFolder();

describe('watching a folder', () => {
  it('scores what lies there and what arrives, and passes over what is no picture', async () => {
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await writeFile(join(at.watched.folder, 'notes.txt'), 'no picture');
    await at.watched.start();
    await at.watched.running!.settled;
    await writePicture(join(at.watched.folder, 'b.png'), 51);
    await until(() => at.watched.told.results.length === 2);
    expect(at.watched.told.results).toMatchObject([
      { input: 'a.png', score: expect.closeTo(0.8, 2), key: expect.stringMatching(/^[0-9a-f]{64}:toy@/) },
      { input: 'b.png', score: expect.closeTo(0.2, 2) },
    ]);
    expect(at.watched.told.faults).toEqual([]);
  });

  it('takes a file once it is whole', async () => {
    // Far longer than the pauses below, however busy the machine is.
    await at.watched.start([], { settleMs: 2000 });
    const whole = await readFile(await writePicture(join(at.watched.scratch, 'whole.png'), 204));
    for (const part of [0.2, 0.6, 1]) {
      await writeFile(join(at.watched.folder, 'a.png'), whole.subarray(0, Math.floor(whole.length * part)));
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    await until(() => at.watched.told.results.length === 1);
    expect(at.watched.told.results[0]).toMatchObject({ score: expect.closeTo(0.8, 2) });
  }, 30_000);

  it('scores each content once: under other names, and after a restart', async () => {
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await copyFile(join(at.watched.folder, 'a.png'), join(at.watched.folder, 'b.png'));
    await at.watched.start();
    await until(() => at.watched.told.results.length + at.watched.told.known.length === 2);
    expect([at.watched.told.results.length, at.watched.told.known.length]).toEqual([1, 1]);
    await at.watched.stop();
    await writePicture(join(at.watched.folder, 'c.png'), 100);
    await at.watched.start();
    await until(() => at.watched.told.known.length === 3 && at.watched.told.results.length === 2);
    expect(at.watched.told.results[1]).toMatchObject({ input: 'c.png' });
  });

  it('gives a changed file a new result', async () => {
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await at.watched.start();
    await until(() => at.watched.told.results.length === 1);
    await writePicture(join(at.watched.folder, 'a.png'), 51);
    await until(() => at.watched.told.results.length === 2);
    expect(at.watched.told.results[1]!.key).not.toBe(at.watched.told.results[0]!.key);
  });

  it('delivers the fault of a picture like a result', async () => {
    await writeFile(join(at.watched.folder, 'broken.png'), 'nothing');
    await at.watched.start();
    await until(() => at.watched.told.results.length === 1);
    expect(at.watched.told.results[0]).toMatchObject({
      input: 'broken.png',
      error: { code: 'E_IMAGE_DECODE' },
    });
  });

  it('says nothing for ever of a file that went or changed while it was taken', async () => {
    const path = join(at.watched.folder, 'a.png');
    const whole = await readFile(await writePicture(join(at.watched.scratch, 'whole.png'), 204));
    const other = await readFile(await writePicture(join(at.watched.scratch, 'other.png'), 51));
    await writeFile(path, whole);
    // Between its hash and its scoring the file goes, then it is written anew.
    const score = at.watched.engine.score.bind(at.watched.engine);
    let times = 0;
    at.watched.engine.score = async (...given: Parameters<Engine['score']>) => {
      times++;
      if (times === 1) await rm(path);
      const result = await score(...given);
      if (times === 2) await writeFile(path, other);
      return result;
    };
    await at.watched.start();
    await until(() => at.watched.told.faults.length === 1);
    expect(at.watched.told.faults[0]).toMatch(/^a.png: .*no such file/);
    expect(at.watched.told.results).toEqual([]);
    await writeFile(path, whole);
    await until(() => at.watched.told.results.length === 1);
    expect(at.watched.told.results).toMatchObject([{ score: expect.closeTo(0.2, 2) }]);
    await writeFile(join(at.watched.folder, 'b.png'), whole);
    await until(() => at.watched.told.results.length === 2);
    expect(at.watched.told.results[1]).toMatchObject({ input: 'b.png', score: expect.closeTo(0.8, 2) });
  });

  it('leaves a file where it is that was written on while it was scored, until it has its result', async () => {
    const moveTo = join(at.watched.scratch, 'done');
    const path = join(at.watched.folder, 'a.png');
    const whole = await readFile(await writePicture(join(at.watched.scratch, 'whole.png'), 204));
    await writeFile(path, whole.subarray(0, 40));
    const score = at.watched.engine.score.bind(at.watched.engine);
    let isHalf = true;
    at.watched.engine.score = async (...given: Parameters<Engine['score']>) => {
      const half = isHalf;
      isHalf = false;
      try {
        return await score(...given);
      } finally {
        if (half) await appendFile(path, whole.subarray(40));
      }
    };
    await at.watched.start([], { moveTo });
    await until(() => at.watched.told.results.length === 1 && existsSync(moveTo));
    expect(at.watched.told.results).toMatchObject([{ input: 'a.png', score: expect.closeTo(0.8, 2) }]);
    await at.watched.stop();
    expect([await readdir(at.watched.folder), await readdir(moveTo)]).toEqual([[], ['a.png']]);
  });

  it('leaves a file where it is that was written on once it was known', async () => {
    const moveTo = join(at.watched.scratch, 'done');
    const whole = await readFile(await writePicture(join(at.watched.folder, 'a.png'), 204));
    await at.watched.start([], { moveTo });
    await until(() => at.watched.told.results.length === 1);
    // Told just before it is moved.
    at.watched.told.known.push = (name) => {
      appendFileSync(join(at.watched.folder, name), 'written on');
      return at.watched.told.known.unshift(name);
    };
    await writeFile(join(at.watched.scratch, 'b.png'), whole);
    await rename(join(at.watched.scratch, 'b.png'), join(at.watched.folder, 'b.png'));
    await until(() => at.watched.told.results.length === 2);
    await at.watched.stop();
    expect([...at.watched.told.known]).toEqual(['b.png']);
    expect(at.watched.told.results[1]).toMatchObject({ input: 'b.png' });
    expect(at.watched.told.results[1]!.key).not.toBe(at.watched.told.results[0]!.key);
    expect((await readdir(moveTo)).sort()).toEqual(['a.png', 'b.png']);
  });

  it('scores another file of a content whose scoring failed', async () => {
    const path = await writePicture(join(at.watched.folder, 'a.png'), 204);
    for (const name of ['b.png', 'c.png']) await copyFile(path, join(at.watched.folder, name));
    const score = at.watched.engine.score.bind(at.watched.engine);
    let times = 0;
    at.watched.engine.score = async (...given: Parameters<Engine['score']>) => {
      if (times++ > 0) return score(...given);
      // The others wait for this one meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 400));
      throw new CraneError('E_MEMORY', 'none is left');
    };
    await at.watched.start();
    await until(
      () =>
        at.watched.told.faults.length + at.watched.told.results.length + at.watched.told.known.length === 3,
    );
    expect(at.watched.told).toMatchObject({
      faults: [expect.stringContaining('none is left')],
      results: [{ score: expect.closeTo(0.8, 2) }],
      known: [expect.stringContaining('.png')],
    });
  });

  it('waits for no named pipe, however many there are', async () => {
    const pipes = Array.from({ length: 6 }, (_, each) => join(at.watched.folder, `pipe-${each}.png`));
    execFileSync('mkfifo', pipes);
    await writePicture(join(at.watched.folder, 'z.png'), 204);
    await at.watched.start();
    await until(() => at.watched.told.results.length === 1 && at.watched.told.faults.length === 6);
    expect(at.watched.told.faults[0]).toMatch(/^pipe-\d\.png: .*not a regular file/);
  });

  it('tells when the folder is gone, and when another is in its place', async () => {
    let isLost = false;
    const { lost } = await at.watched.start();
    void lost.then(() => {
      isLost = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(isLost).toBe(false);
    await rename(at.watched.folder, join(at.watched.scratch, 'elsewhere'));
    await mkdir(at.watched.folder);
    await lost;
    await at.watched.stop();
    const again = await at.watched.start();
    await rm(at.watched.folder, { recursive: true });
    await again.lost;
  });

  it('appends to the file that has the name, though another had it before', async () => {
    const path = join(at.watched.scratch, 'out.jsonl');
    await at.watched.start([await jsonLinesReceiver(path)]);
    await rename(path, join(at.watched.scratch, 'rotated.jsonl'));
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await until(() => at.watched.told.results.length === 1);
    await at.watched.stop();
    expect(await linesOf(path)).toEqual(at.watched.told.results);
  });

  it('moves what has its result, and overwrites nothing', async () => {
    const moveTo = join(at.watched.folder, 'done');
    await mkdir(moveTo);
    await writeFile(join(moveTo, 'a.png'), 'already there');
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await at.watched.start([], { moveTo, recursive: true });
    await until(() => at.watched.told.results.length === 1);
    await at.watched.running!.settled;
    expect(await readdir(at.watched.folder)).toEqual(['done']);
    expect((await readdir(moveTo)).sort()).toEqual(['a-2.png', 'a.png']);
    expect(await readFile(join(moveTo, 'a.png'), 'utf8')).toBe('already there');
  });

  it('waits for room on a full disk, and loses nothing', async () => {
    const path = join(at.watched.scratch, 'out.jsonl');
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    const disk = await fillDisk(at.watched.scratch, 4);
    try {
      await at.watched.start([await jsonLinesReceiver(path)]);
      await until(() => disk.refused() === 4);
      await until(() => at.watched.told.results.length === 1);
      await at.watched.stop();
    } finally {
      disk.empty();
    }
    expect(at.watched.told.faults[0]).toMatch(/^a.png: .*ENOSPC.*; again in 0.01 s/);
    expect(await linesOf(path)).toEqual(at.watched.told.results);
    // No half of a line is left for the next start.
    await at.watched.start([await jsonLinesReceiver(path)]);
    await until(() => at.watched.told.known.length === 1);
    await at.watched.stop();
    expect(await linesOf(path)).toHaveLength(1);
  });

  it('goes on where a receipt cannot be written, and delivers again after a restart', async () => {
    const got: Delivery[] = [];
    const receiver = {
      name: 'somebody',
      deliver: async (delivery: Delivery) => void got.push(delivery),
      close: async () => {},
    };
    const journal = await WatchJournal.open(at.watched.state, ['somebody']);
    const write = journal.addReceipt.bind(journal);
    let isFull = true;
    journal.addReceipt = async (...given) => {
      if (!isFull) return write(...given);
      const disk = await fillDisk(at.watched.scratch, 1);
      await write(...given).finally(disk.empty);
    };
    await at.watched.start([receiver], { journal });
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await until(() => at.watched.told.unrecorded.length === 1);
    isFull = false;
    await writePicture(join(at.watched.folder, 'b.png'), 51);
    await until(() => got.length === 2);
    await at.watched.stop();
    expect(at.watched.told.unrecorded[0]).toMatch(/^somebody: .*ENOSPC/);
    await at.watched.start([receiver]);
    await until(() => got.length === 3);
    await at.watched.stop();
    expect(got.map(({ input }) => input)).toEqual(['a.png', 'b.png', 'a.png']);
  });

  it('delivers a line whole that a killed process left half of', async () => {
    const path = join(at.watched.scratch, 'out.jsonl');
    const results = ['k1', 'k2'].map((key) => ({ key, input: 'ä.png' }));
    const [first, second] = results.map((result) => JSON.stringify(result)) as [string, string];
    await writeFile(
      at.watched.state,
      `{"result":${first}}\n{"result":${second}}\n{"key":"k1","receiver":"jsonl"}\n`,
    );
    await writeFile(path, Buffer.from(`${first}\n${second}`).subarray(0, -9));
    await at.watched.start([await jsonLinesReceiver(path)]);
    await at.watched.stop();
    expect(await linesOf(path)).toEqual(results);
  });

  it('has its state alone', async () => {
    const journal = await WatchJournal.open(at.watched.state, []);
    await expect(WatchJournal.open(at.watched.state, [])).rejects.toMatchObject({
      code: 'E_IN_USE',
      hint: expect.stringContaining('another --state'),
    });
    await journal.close();
    await (await WatchJournal.open(at.watched.state, [])).close();
  });

  it('holds of a state what is not confirmed, for each receiver', async () => {
    const lines = [
      ...['a', 'b', 'c'].map((key) => ({ result: { key, input: `${key}.png` } })),
      { key: 'b', receiver: 'one' },
      { key: 'a', receiver: 'two' },
      { key: 'c', receiver: 'gone' },
    ];
    await writeFile(at.watched.state, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const journal = await WatchJournal.open(at.watched.state, ['one', 'two', 'new']);
    const open = (name: string) => journal.openFor(name).map(({ key }) => key);
    expect([open('one'), open('two'), open('new')]).toEqual([
      ['a', 'c'],
      ['b', 'c'],
      ['a', 'b', 'c'],
    ]);
    expect(await journal.read(journal.openFor('one')[1]!)).toEqual({ key: 'c', input: 'c.png' });
    expect(journal.has('b')).toBe(true);
    await journal.close();
  });

  it('appends results to a file of JSON Lines', async () => {
    const path = join(at.watched.scratch, 'out.jsonl');
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await at.watched.start([await jsonLinesReceiver(path)]);
    await until(() => at.watched.told.results.length === 1);
    await at.watched.stop();
    expect(await linesOf(path)).toEqual(at.watched.told.results);
    // A second run delivers nothing anew.
    await at.watched.start([await jsonLinesReceiver(path)]);
    await until(() => at.watched.told.known.length === 1);
    await at.watched.stop();
    expect(await linesOf(path)).toHaveLength(1);
  });

  it('refuses a state that is none of its own, and cuts off a line that was not finished', async () => {
    await writeFile(at.watched.state, 'nonsense\n');
    await expect(WatchJournal.open(at.watched.state, [])).rejects.toMatchObject({
      code: 'E_IO_READ',
      message: expect.stringContaining('line 1'),
    });
    await writeFile(at.watched.state, '{"result":{"key":"k"}}\n{"key":"k","rec');
    const journal = await WatchJournal.open(at.watched.state, ['anybody']);
    expect(await Promise.all(journal.openFor('anybody').map((kept) => journal.read(kept)))).toEqual([
      { key: 'k' },
    ]);
    await journal.close();
    expect(await readFile(at.watched.state, 'utf8')).toBe('{"result":{"key":"k"}}\n');
  });
});
