/** Pictures that arrive in a folder: scored once, delivered at least once, over restarts. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/load-engine.js';
import { CraneError } from '../../../src/errors.js';
import type { Model } from '../../../src/models/model-json.js';
import { type Delivery, WatchJournal } from '../../../src/service/watch/journal.js';
import {
  jsonLinesReceiver,
  type Receiver,
  signatureOf,
  webhookReceiver,
} from '../../../src/service/watch/receivers.js';
import { type Watch, watchFolder } from '../../../src/service/watch/watch-folder.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { fillDisk } from '../files/full-disk.js';
import { until } from './fake-service.js';

let scratch: string;
let folder: string;
let state: string;
let model: Model;
let engine: Engine;
let running: Watch | undefined;
let told: {
  results: Delivery[];
  known: string[];
  faults: string[];
  delayed: string[];
  refused: string[];
  unrecorded: string[];
};
beforeEach(async () => {
  scratch = await makeToyFolder();
  folder = join(scratch, 'in');
  state = join(scratch, 'state.jsonl');
  await mkdir(folder);
  model = await makeToyModel(join(scratch, 'model'));
  engine = await openEngine(makeFakeAddon(), model, {});
  told = { results: [], known: [], faults: [], delayed: [], refused: [], unrecorded: [] };
});
afterEach(async () => {
  vi.restoreAllMocks();
  await stop(100);
  await engine.dispose();
  await rm(scratch, { recursive: true, force: true });
});

async function start(
  receivers: Receiver[] = [],
  more: { moveTo?: string; recursive?: boolean; settleMs?: number; journal?: WatchJournal } = {},
) {
  running = await watchFolder({
    folder,
    recursive: more.recursive ?? false,
    settleMs: more.settleMs ?? 40,
    moveTo: more.moveTo,
    regions: false,
    engine,
    journal:
      more.journal ??
      (await WatchJournal.open(
        state,
        receivers.map(({ name }) => name),
      )),
    receivers,
    firstWaitMs: 10,
    lookMs: 10,
    events: {
      onResult: (delivery) => told.results.push(delivery),
      onKnown: (name) => told.known.push(name),
      onFault: (name, message) => told.faults.push(`${name}: ${message}`),
      onDelayed: (_receiver, reason) => told.delayed.push(reason),
      onRefused: (_receiver, key, reason) => told.refused.push(`${key} ${reason}`),
      onUnrecorded: (receiver, _key, reason) => told.unrecorded.push(`${receiver}: ${reason}`),
    },
  });
  return running;
}
/** Deliveries have their time, however busy the machine is; those to a receiver that takes none are given up sooner. */
const stop = async (graceMs = 15_000) => {
  await running?.stop(graceMs);
  running = undefined;
};
const linesOf = async (path: string) =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Delivery);

describe('watching a folder', () => {
  it('scores what lies there and what arrives, and passes over what is no picture', async () => {
    await writePicture(join(folder, 'a.png'), 204);
    await writeFile(join(folder, 'notes.txt'), 'no picture');
    await start();
    await running!.settled;
    await writePicture(join(folder, 'b.png'), 51);
    await until(() => told.results.length === 2);
    expect(told.results).toMatchObject([
      { input: 'a.png', score: expect.closeTo(0.8, 2), key: expect.stringMatching(/^[0-9a-f]{64}:toy@/) },
      { input: 'b.png', score: expect.closeTo(0.2, 2) },
    ]);
    expect(told.faults).toEqual([]);
  });

  it('takes a file once it is whole', async () => {
    // Far longer than the pauses below, however busy the machine is.
    await start([], { settleMs: 2000 });
    const whole = await readFile(await writePicture(join(scratch, 'whole.png'), 204));
    for (const part of [0.2, 0.6, 1]) {
      await writeFile(join(folder, 'a.png'), whole.subarray(0, Math.floor(whole.length * part)));
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    await until(() => told.results.length === 1);
    expect(told.results[0]).toMatchObject({ score: expect.closeTo(0.8, 2) });
  }, 30_000);

  it('scores each content once: under other names, and after a restart', async () => {
    await writePicture(join(folder, 'a.png'), 204);
    await copyFile(join(folder, 'a.png'), join(folder, 'b.png'));
    await start();
    await until(() => told.results.length + told.known.length === 2);
    expect([told.results.length, told.known.length]).toEqual([1, 1]);
    await stop();
    await writePicture(join(folder, 'c.png'), 100);
    await start();
    await until(() => told.known.length === 3 && told.results.length === 2);
    expect(told.results[1]).toMatchObject({ input: 'c.png' });
  });

  it('gives a changed file a new result', async () => {
    await writePicture(join(folder, 'a.png'), 204);
    await start();
    await until(() => told.results.length === 1);
    await writePicture(join(folder, 'a.png'), 51);
    await until(() => told.results.length === 2);
    expect(told.results[1]!.key).not.toBe(told.results[0]!.key);
  });

  it('delivers the fault of a picture like a result', async () => {
    await writeFile(join(folder, 'broken.png'), 'nothing');
    await start();
    await until(() => told.results.length === 1);
    expect(told.results[0]).toMatchObject({ input: 'broken.png', error: { code: 'E_IMAGE_DECODE' } });
  });

  it('says nothing for ever of a file that went or changed while it was taken', async () => {
    const path = join(folder, 'a.png');
    const whole = await readFile(await writePicture(join(scratch, 'whole.png'), 204));
    const other = await readFile(await writePicture(join(scratch, 'other.png'), 51));
    await writeFile(path, whole);
    // Between its hash and its scoring the file goes, then it is written anew.
    const score = engine.score.bind(engine);
    let times = 0;
    engine.score = async (...given: Parameters<Engine['score']>) => {
      times++;
      if (times === 1) await rm(path);
      const result = await score(...given);
      if (times === 2) await writeFile(path, other);
      return result;
    };
    await start();
    await until(() => told.faults.length === 1);
    expect(told.faults[0]).toMatch(/^a.png: .*no such file/);
    expect(told.results).toEqual([]);
    await writeFile(path, whole);
    await until(() => told.results.length === 1);
    expect(told.results).toMatchObject([{ score: expect.closeTo(0.2, 2) }]);
    await writeFile(join(folder, 'b.png'), whole);
    await until(() => told.results.length === 2);
    expect(told.results[1]).toMatchObject({ input: 'b.png', score: expect.closeTo(0.8, 2) });
  });

  it('leaves a file where it is that was written on while it was scored, until it has its result', async () => {
    const moveTo = join(scratch, 'done');
    const path = join(folder, 'a.png');
    const whole = await readFile(await writePicture(join(scratch, 'whole.png'), 204));
    await writeFile(path, whole.subarray(0, 40));
    const score = engine.score.bind(engine);
    let isHalf = true;
    engine.score = async (...given: Parameters<Engine['score']>) => {
      const half = isHalf;
      isHalf = false;
      try {
        return await score(...given);
      } finally {
        if (half) await appendFile(path, whole.subarray(40));
      }
    };
    await start([], { moveTo });
    await until(() => told.results.length === 1 && existsSync(moveTo));
    expect(told.results).toMatchObject([{ input: 'a.png', score: expect.closeTo(0.8, 2) }]);
    await stop();
    expect([await readdir(folder), await readdir(moveTo)]).toEqual([[], ['a.png']]);
  });

  it('leaves a file where it is that was written on once it was known', async () => {
    const moveTo = join(scratch, 'done');
    const whole = await readFile(await writePicture(join(folder, 'a.png'), 204));
    await start([], { moveTo });
    await until(() => told.results.length === 1);
    // Told just before it is moved.
    told.known.push = (name) => {
      appendFileSync(join(folder, name), 'written on');
      return told.known.unshift(name);
    };
    await writeFile(join(scratch, 'b.png'), whole);
    await rename(join(scratch, 'b.png'), join(folder, 'b.png'));
    await until(() => told.results.length === 2);
    await stop();
    expect([...told.known]).toEqual(['b.png']);
    expect(told.results[1]).toMatchObject({ input: 'b.png' });
    expect(told.results[1]!.key).not.toBe(told.results[0]!.key);
    expect((await readdir(moveTo)).sort()).toEqual(['a.png', 'b.png']);
  });

  it('scores another file of a content whose scoring failed', async () => {
    const path = await writePicture(join(folder, 'a.png'), 204);
    for (const name of ['b.png', 'c.png']) await copyFile(path, join(folder, name));
    const score = engine.score.bind(engine);
    let times = 0;
    engine.score = async (...given: Parameters<Engine['score']>) => {
      if (times++ > 0) return score(...given);
      // The others wait for this one meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 400));
      throw new CraneError('E_MEMORY', 'none is left');
    };
    await start();
    await until(() => told.faults.length + told.results.length + told.known.length === 3);
    expect(told).toMatchObject({
      faults: [expect.stringContaining('none is left')],
      results: [{ score: expect.closeTo(0.8, 2) }],
      known: [expect.stringContaining('.png')],
    });
  });

  it('waits for no named pipe, however many there are', async () => {
    const pipes = Array.from({ length: 6 }, (_, at) => join(folder, `pipe-${at}.png`));
    execFileSync('mkfifo', pipes);
    await writePicture(join(folder, 'z.png'), 204);
    await start();
    await until(() => told.results.length === 1 && told.faults.length === 6);
    expect(told.faults[0]).toMatch(/^pipe-\d\.png: .*not a regular file/);
  });

  it('tells when the folder is gone, and when another is in its place', async () => {
    let isLost = false;
    const { lost } = await start();
    void lost.then(() => {
      isLost = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(isLost).toBe(false);
    await rename(folder, join(scratch, 'elsewhere'));
    await mkdir(folder);
    await lost;
    await stop();
    const again = await start();
    await rm(folder, { recursive: true });
    await again.lost;
  });

  it('appends to the file that has the name, though another had it before', async () => {
    const path = join(scratch, 'out.jsonl');
    await start([await jsonLinesReceiver(path)]);
    await rename(path, join(scratch, 'rotated.jsonl'));
    await writePicture(join(folder, 'a.png'), 204);
    await until(() => told.results.length === 1);
    await stop();
    expect(await linesOf(path)).toEqual(told.results);
  });

  it('moves what has its result, and overwrites nothing', async () => {
    const moveTo = join(folder, 'done');
    await mkdir(moveTo);
    await writeFile(join(moveTo, 'a.png'), 'already there');
    await writePicture(join(folder, 'a.png'), 204);
    await start([], { moveTo, recursive: true });
    await until(() => told.results.length === 1);
    await running!.settled;
    expect(await readdir(folder)).toEqual(['done']);
    expect((await readdir(moveTo)).sort()).toEqual(['a-2.png', 'a.png']);
    expect(await readFile(join(moveTo, 'a.png'), 'utf8')).toBe('already there');
  });

  it('waits for room on a full disk, and loses nothing', async () => {
    const path = join(scratch, 'out.jsonl');
    await writePicture(join(folder, 'a.png'), 204);
    const disk = await fillDisk(scratch, 4);
    try {
      await start([await jsonLinesReceiver(path)]);
      await until(() => disk.refused() === 4);
      await until(() => told.results.length === 1);
      await stop();
    } finally {
      disk.empty();
    }
    expect(told.faults[0]).toMatch(/^a.png: .*ENOSPC.*; again in 0.01 s/);
    expect(await linesOf(path)).toEqual(told.results);
    // No half of a line is left for the next start.
    await start([await jsonLinesReceiver(path)]);
    await until(() => told.known.length === 1);
    await stop();
    expect(await linesOf(path)).toHaveLength(1);
  });

  it('goes on where a receipt cannot be written, and delivers again after a restart', async () => {
    const got: Delivery[] = [];
    const receiver = {
      name: 'somebody',
      deliver: async (delivery: Delivery) => void got.push(delivery),
      close: async () => {},
    };
    const journal = await WatchJournal.open(state, ['somebody']);
    const write = journal.addReceipt.bind(journal);
    let isFull = true;
    journal.addReceipt = async (...given) => {
      if (!isFull) return write(...given);
      const disk = await fillDisk(scratch, 1);
      await write(...given).finally(disk.empty);
    };
    await start([receiver], { journal });
    await writePicture(join(folder, 'a.png'), 204);
    await until(() => told.unrecorded.length === 1);
    isFull = false;
    await writePicture(join(folder, 'b.png'), 51);
    await until(() => got.length === 2);
    await stop();
    expect(told.unrecorded[0]).toMatch(/^somebody: .*ENOSPC/);
    await start([receiver]);
    await until(() => got.length === 3);
    await stop();
    expect(got.map(({ input }) => input)).toEqual(['a.png', 'b.png', 'a.png']);
  });

  it('delivers a line whole that a killed process left half of', async () => {
    const path = join(scratch, 'out.jsonl');
    const results = ['k1', 'k2'].map((key) => ({ key, input: 'ä.png' }));
    const [first, second] = results.map((result) => JSON.stringify(result)) as [string, string];
    await writeFile(state, `{"result":${first}}\n{"result":${second}}\n{"key":"k1","receiver":"jsonl"}\n`);
    await writeFile(path, Buffer.from(`${first}\n${second}`).subarray(0, -9));
    await start([await jsonLinesReceiver(path)]);
    await stop();
    expect(await linesOf(path)).toEqual(results);
  });

  it('has its state alone', async () => {
    const journal = await WatchJournal.open(state, []);
    await expect(WatchJournal.open(state, [])).rejects.toMatchObject({
      code: 'E_IN_USE',
      hint: expect.stringContaining('another --state'),
    });
    await journal.close();
    await (await WatchJournal.open(state, [])).close();
  });

  it('holds of a state what is not confirmed, for each receiver', async () => {
    const lines = [
      ...['a', 'b', 'c'].map((key) => ({ result: { key, input: `${key}.png` } })),
      { key: 'b', receiver: 'one' },
      { key: 'a', receiver: 'two' },
      { key: 'c', receiver: 'gone' },
    ];
    await writeFile(state, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const journal = await WatchJournal.open(state, ['one', 'two', 'new']);
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
    const path = join(scratch, 'out.jsonl');
    await writePicture(join(folder, 'a.png'), 204);
    await start([await jsonLinesReceiver(path)]);
    await until(() => told.results.length === 1);
    await stop();
    expect(await linesOf(path)).toEqual(told.results);
    // A second run delivers nothing anew.
    await start([await jsonLinesReceiver(path)]);
    await until(() => told.known.length === 1);
    await stop();
    expect(await linesOf(path)).toHaveLength(1);
  });

  it('refuses a state that is none of its own, and cuts off a line that was not finished', async () => {
    await writeFile(state, 'nonsense\n');
    await expect(WatchJournal.open(state, [])).rejects.toMatchObject({
      code: 'E_IO_READ',
      message: expect.stringContaining('line 1'),
    });
    await writeFile(state, '{"result":{"key":"k"}}\n{"key":"k","rec');
    const journal = await WatchJournal.open(state, ['anybody']);
    expect(await Promise.all(journal.openFor('anybody').map((kept) => journal.read(kept)))).toEqual([
      { key: 'k' },
    ]);
    await journal.close();
    expect(await readFile(state, 'utf8')).toBe('{"result":{"key":"k"}}\n');
  });
});

describe('a webhook', () => {
  let server: Server;
  let url: string;
  let got: { headers: IncomingHttpHeaders; body: string }[];
  let statuses: number[];
  beforeEach(async () => {
    got = [];
    statuses = [];
    server = createServer((request, reply) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        got.push({ headers: request.headers, body });
        reply.writeHead(statuses.shift() ?? 204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });
  afterEach(() => server.close());

  it('gets each result with its key, signed', async () => {
    await writePicture(join(folder, 'a.png'), 204);
    await start([webhookReceiver(url, 'the secret')]);
    await until(() => got.length === 1);
    const { headers, body } = got[0]!;
    expect(JSON.parse(body)).toEqual(told.results[0]);
    expect(headers['crane-key']).toBe(told.results[0]!.key);
    const seconds = Number(/^t=(\d+),/.exec(String(headers['crane-signature']))?.[1]);
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60);
    expect(headers['crane-signature']).toBe(signatureOf('the secret', seconds, body));
    expect(signatureOf('another', seconds, body)).not.toBe(headers['crane-signature']);
  });

  it('is tried again until it confirms, in the order of the results', async () => {
    statuses = [500, 429, 503];
    await writePicture(join(folder, 'a.png'), 204);
    await start([webhookReceiver(url, undefined)]);
    await until(() => told.results.length === 1);
    await writePicture(join(folder, 'b.png'), 51);
    await until(() => got.length === 5);
    const keys = got.map(({ headers }) => headers['crane-key']);
    const [first, second] = told.results.map(({ key }) => key);
    expect(keys).toEqual([first, first, first, first, second]);
    expect(told.delayed).toEqual(['it answers 500', 'it answers 429', 'it answers 503']);
    expect(got[0]!.headers['crane-signature']).toBeUndefined();
  });

  it('that was away gets its results after a restart', async () => {
    statuses = Array(1000).fill(503) as number[];
    await writePicture(join(folder, 'a.png'), 204);
    await start([webhookReceiver(url, undefined)]);
    await until(() => got.length >= 2);
    await stop(50);
    statuses = [];
    const before = got.length;
    await start([webhookReceiver(url, undefined)]);
    await until(() => got.length === before + 1 && told.known.length === 1);
    expect(got.at(-1)!.headers['crane-key']).toBe(told.results[0]!.key);
    await stop();
    expect((await linesOf(state)).at(-1)).toEqual({ key: told.results[0]!.key, receiver: `webhook ${url}` });
  });

  it('that does not want a result is told of, and not sent it again', async () => {
    statuses = [400];
    await writePicture(join(folder, 'a.png'), 204);
    await start([webhookReceiver(url, undefined)]);
    await until(() => told.refused.length === 1);
    await writePicture(join(folder, 'b.png'), 51);
    await until(() => got.length === 2);
    expect(told.refused[0]).toBe(`${told.results[0]!.key} it answers 400`);
    expect(got[1]!.headers['crane-key']).toBe(told.results[1]!.key);
  });

  it('with a name and a password in its address is sent them, and nobody else is', async () => {
    statuses = [503];
    await writePicture(join(folder, 'a.png'), 204);
    await start([webhookReceiver(url.replace('//', '//me:p%40ss@'), undefined)]);
    await until(() => got.length === 2);
    await stop();
    for (const { headers } of got)
      expect(headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    const kept = await readFile(state, 'utf8');
    expect(kept).toContain(`webhook ${url}`);
    expect(kept + JSON.stringify(told)).not.toContain('p%40ss');
  });

  it('has an address that is well formed, or is told so without its password', () => {
    for (const wrong of [
      'http://me:secret%zz@there/',
      'http://me%zz:secret@there/',
      'ftp://me:secret@there/',
      'http://me:pa/secret@there/',
      'http://me:pa?secret@there/',
    ]) {
      const made = () => webhookReceiver(wrong, undefined);
      expect(made).toThrow(
        expect.objectContaining({ code: 'E_USAGE', message: expect.stringContaining('//there/') }),
      );
      expect(made).not.toThrow(/secret/);
    }
  });

  it('is told from others by its query, which nobody sees', () => {
    const names = ['?token=secret', '?token=secret2', ''].map(
      (query) => webhookReceiver(`http://there/hook${query}`, undefined).name,
    );
    expect(new Set(names).size).toBe(3);
    expect(names.join()).not.toContain('secret');
    expect(names[2]).toBe('webhook http://there/hook');
  });

  it('does not hold up another receiver', async () => {
    statuses = Array(1000).fill(503) as number[];
    const path = join(scratch, 'out.jsonl');
    for (const [name, brightness] of [
      ['a.png', 204],
      ['b.png', 51],
    ] as const)
      await writePicture(join(folder, name), brightness);
    await start([webhookReceiver(url, undefined), await jsonLinesReceiver(path)]);
    await until(
      () => got.length >= 2 && existsSync(path) && readFileSync(path, 'utf8').split('\n').length === 3,
    );
    await stop(50);
    expect(await linesOf(path)).toEqual(told.results);
  });
});
