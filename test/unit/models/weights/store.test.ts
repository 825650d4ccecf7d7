import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CraneError } from '../../../../src/errors.js';
import { partOf } from '../../../../src/models/weights/fetch-file.js';
import { obtain, recordOf, storePath } from '../../../../src/models/weights/store.js';
import { type FileServer, startFileServer } from './file-server.js';
import { dinov2Info, noise, openWorkplace, publicFile, sha256, type Workplace } from './workplace.js';

const content = noise(300_000);
let server: FileServer;
let place: Workplace;
beforeEach(async () => {
  place = await openWorkplace({ verifyWeights: async () => dinov2Info(768, 12) });
  server = await startFileServer(content, place.cache);
});
afterEach(async () => {
  await server.close();
  await place.close();
});

const hashed = () => publicFile(server.url, { sha256: sha256(content) });
const unhashed = () =>
  publicFile(server.url, {
    expected: { naming: 'dinov2', vision: { width: 768, layers: 12, patch: 14, registers: 4 } },
  });
const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it should have failed'),
    (thrown: unknown) => thrown as CraneError,
  );
const stored = () => readFile(place.at('weights', 'thing.bin'));
const partSize = async () => (await stat(partOf(place.at('weights', 'thing.bin')))).size;
const names = async () => (await readdir(place.at('weights'))).sort();

describe('a file with a published sha256', () => {
  it('is fetched, checked and left alone under its name', async () => {
    const got = await obtain(hashed(), undefined, place.surroundings);
    expect(got).toEqual({
      path: place.at('weights', 'thing.bin'),
      sha256: sha256(content),
      bytes: content.length,
      how: 'fetched',
    });
    expect((await stored()).equals(content)).toBe(true);
    expect(await names()).toEqual(['thing.bin']);
  });

  it('is not fetched again when it is there', async () => {
    await obtain(hashed(), undefined, place.surroundings);
    expect((await obtain(hashed(), undefined, place.surroundings)).how).toBe('was there');
    expect(server.requests).toHaveLength(1);
  });

  it('is fetched again when what is there was changed', async () => {
    await obtain(hashed(), undefined, place.surroundings);
    await writeFile(place.at('weights', 'thing.bin'), 'something else');
    expect((await obtain(hashed(), undefined, place.surroundings)).how).toBe('fetched');
    expect((await stored()).equals(content)).toBe(true);
    expect(place.log.join('\n')).toMatch(/not the file it was/);
  });

  it('goes on where the connection broke, and asks for the same version', async () => {
    server.misbehave({ dropAfter: 100_000 }, { dropAfter: 50_000 });
    await obtain(hashed(), undefined, place.surroundings);
    expect((await stored()).equals(content)).toBe(true);
    expect(server.requests.map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=\d+-299999$/),
      expect.stringMatching(/^bytes=\d+-299999$/),
    ]);
    const [, second, third] = server.requests;
    const from = (range: string | undefined) => Number(/=(\d+)/.exec(range ?? '')?.[1]);
    expect(from(second?.range)).toBeGreaterThan(0);
    expect(from(third?.range)).toBeGreaterThan(from(second?.range));
    expect(second?.ifRange).toMatch(/^"/);
  });

  it('goes on in a later run', async () => {
    server.misbehave({ dropAfter: 100_000 }, { status: 503 }, { status: 503 }, { status: 503 });
    expect((await failure(obtain(hashed(), undefined, place.surroundings))).code).toBe('E_DOWNLOAD');
    expect(await names()).toEqual(['thing.bin.part', 'thing.bin.part.json']);
    const have = await partSize();
    await obtain(hashed(), undefined, place.surroundings);
    expect(server.requests.at(-1)?.range).toBe(`bytes=${have}-299999`);
    expect((await stored()).equals(content)).toBe(true);
  });

  it('starts over when the file changed on the server meanwhile', async () => {
    const next = noise(300_000, 2);
    server.misbehave({ dropAfter: 100_000 }, { status: 500 }, { status: 500 }, { status: 500 });
    const file = publicFile(server.url, { sha256: sha256(next) });
    await failure(obtain(file, undefined, place.surroundings));
    server.replace(next);
    await obtain(file, undefined, place.surroundings);
    expect((await stored()).equals(next)).toBe(true);
  });

  it('without validators: parts of two versions are noticed, and one whole download follows', async () => {
    const next = noise(300_000, 2);
    server.dropValidators();
    server.misbehave({ dropAfter: 100_000 }, { status: 500 }, { status: 500 }, { status: 500 });
    const file = publicFile(server.url, { sha256: sha256(next) });
    await failure(obtain(file, undefined, place.surroundings));
    server.replace(next);
    const have = await partSize();
    await obtain(file, undefined, place.surroundings);
    expect((await stored()).equals(next)).toBe(true);
    expect(server.requests.slice(-2).map(({ range }) => range)).toEqual([`bytes=${have}-299999`, undefined]);
  });

  it.each([
    ['a server that ignores ranges', ['ignore ranges' as const]],
    ['a server that sends another part', ['wrong range' as const]],
    ['a server that has no such part', [{ status: 416 }]],
    ['a server that is overloaded for a while', [{ status: 500 }, { status: 429 }]],
  ])('%s is coped with', async (_what, then) => {
    server.misbehave({ dropAfter: 100_000 }, ...then);
    await obtain(hashed(), undefined, place.surroundings);
    expect((await stored()).equals(content)).toBe(true);
  });

  it('a damaged download is repeated once', async () => {
    server.misbehave('corrupt');
    await obtain(hashed(), undefined, place.surroundings);
    expect((await stored()).equals(content)).toBe(true);
    expect(server.requests).toHaveLength(2);
  });

  it('a server that always gives another file is refused, and nothing is kept', async () => {
    server.misbehave('corrupt', 'corrupt');
    const error = await failure(obtain(hashed(), undefined, place.surroundings));
    expect(error.code).toBe('E_WEIGHTS_HASH');
    expect(error.message).toContain(`expected ${sha256(content)}`);
    expect(await names()).toEqual([]);
  });

  it('an answer cut short that claims to be complete is no success', async () => {
    server.misbehave({ truncateTo: 1000 }, { truncateTo: 1000 });
    expect((await failure(obtain(hashed(), undefined, place.surroundings))).code).toBe('E_WEIGHTS_HASH');
    expect(await names()).toEqual([]);
  });

  it('an answer of unknown length is taken', async () => {
    server.misbehave('chunked');
    await obtain(hashed(), undefined, place.surroundings);
    expect((await stored()).equals(content)).toBe(true);
  });

  it('a server that always breaks off at the same place is given up', async () => {
    server.misbehave(...Array.from({ length: 20 }, () => ({ dropAfter: 100_000 })));
    server.dropValidators();
    const error = await failure(obtain(publicFile(server.url, unhashed()), undefined, place.surroundings));
    expect(error.code).toBe('E_DOWNLOAD');
    expect(server.requests.length).toBeLessThanOrEqual(5);
  });

  it.each([
    [{ status: 404 }, /answered 404/, 1],
    [{ status: 403 }, /answered 403/, 1],
    ['web page' as const, /web page instead of the file/, 1],
  ])('%j is told at once, with the way around it', async (how, message, requests) => {
    server.misbehave(how);
    const error = await failure(obtain(hashed(), undefined, place.surroundings));
    expect(error.code).toBe('E_DOWNLOAD');
    expect(error.message).toMatch(message);
    expect(error.message).toContain(server.url);
    expect(error.hint).toContain('weights pull thing --from FILE');
    expect(server.requests).toHaveLength(requests);
  });

  it('without a connection the reason and the way around it are told', async () => {
    await server.close();
    const error = await failure(obtain(hashed(), undefined, place.surroundings));
    expect(error.code).toBe('E_DOWNLOAD');
    expect(error.message).toMatch(/ECONNREFUSED/);
    expect(error.hint).toContain('--from FILE');
    server = await startFileServer(content, place.cache);
  });

  it('two at the same time make one download', async () => {
    const both = await Promise.all([
      obtain(hashed(), undefined, place.surroundings),
      obtain(hashed(), undefined, place.surroundings),
    ]);
    expect(both.map(({ how }) => how).sort()).toEqual(['fetched', 'was there']);
    expect(server.requests).toHaveLength(1);
  });

  it('giving up keeps what has come', async () => {
    const stop = new AbortController();
    server.misbehave({ dropAfter: 100_000 });
    const surroundings = {
      ...place.surroundings,
      transfer: { ...place.transfer, stop: stop.signal, log: () => stop.abort() },
    };
    const error = await failure(obtain(hashed(), undefined, surroundings));
    expect(error).toMatchObject({ code: 'E_CANCELLED', hint: 'the same command goes on there' });
    await obtain(hashed(), undefined, place.surroundings);
    expect((await stored()).equals(content)).toBe(true);
  });

  it('a folder in the way is not touched', async () => {
    await mkdir(place.at('weights', 'thing.bin', 'mine'), { recursive: true });
    const error = await failure(obtain(hashed(), undefined, place.surroundings));
    expect(error.code).toBe('E_IO_WRITE');
    expect(await readdir(place.at('weights', 'thing.bin'))).toEqual(['mine']);
  });
});

describe('a file without a published sha256', () => {
  it('is checked by its tensors, and its sha256 is remembered', async () => {
    await obtain(unhashed(), undefined, place.surroundings);
    const path = await storePath(unhashed(), place.surroundings.env);
    expect(await readFile(recordOf(path), 'utf8')).toBe(`${sha256(content)}  thing.bin\n`);
  });

  it('is refused later when another one comes', async () => {
    await obtain(unhashed(), undefined, place.surroundings);
    await writeFile(place.at('weights', 'thing.bin'), 'damaged on disk');
    server.replace(noise(300_000, 3));
    const error = await failure(obtain(unhashed(), undefined, place.surroundings));
    expect(error.code).toBe('E_WEIGHTS_HASH');
    expect(error.message).toContain(`the first download was ${sha256(content)}`);
    expect(error.hint).toContain(`delete ${recordOf(place.at('weights', 'thing.bin'))}`);
  });

  it('is refused where its beginning is published and another file comes', async () => {
    const begins = { ...unhashed(), sha256Begins: sha256(content).slice(0, 8) };
    server.replace(noise(300_000, 3));
    const error = await failure(obtain(begins, undefined, place.surroundings));
    expect(error.code).toBe('E_WEIGHTS_HASH');
    expect(error.message).toContain(`expected ${begins.sha256Begins}...`);
    expect(error.hint).toContain('it is not thing.bin as published');
    expect(await names()).toEqual([]);
    await writeFile(place.at('other.bin'), noise(300_000, 3));
    const imported = await failure(obtain(begins, place.at('other.bin'), place.surroundings));
    expect(imported.code).toBe('E_WEIGHTS_HASH');

    server.replace(content);
    expect((await obtain(begins, undefined, place.surroundings)).how).toBe('fetched');
    const path = await storePath(begins, place.surroundings.env);
    expect(await readFile(recordOf(path), 'utf8')).toBe(`${sha256(content)}  thing.bin\n`);
  });

  it('may be named by one of several families', async () => {
    const either = {
      ...unhashed(),
      expected: { naming: ['openai-clip', 'dinov2'], vision: { width: 768 } },
    };
    expect((await obtain(either, undefined, place.surroundings)).how).toBe('fetched');
  });

  it.each([
    ['another width', dinov2Info(384, 12), 'E_WEIGHTS_SHAPE', /width 384, expected width 768/],
    ['another depth', dinov2Info(768, 11), 'E_WEIGHTS_SHAPE', /layers 11, expected layers 12/],
    ['other names', { ...dinov2Info(768, 12), naming: 'openai-clip' }, 'E_WEIGHTS_NAMING', /openai-clip/],
  ])('with %s is refused, and nothing is kept or remembered', async (_what, info, code, message) => {
    await place.close();
    place = await openWorkplace({ verifyWeights: async () => info });
    const error = await failure(obtain(unhashed(), undefined, place.surroundings));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await names()).toEqual([]);
  });

  it('is never put together of parts that no validator holds together', async () => {
    server.dropValidators();
    server.misbehave({ dropAfter: 100_000 });
    await obtain(unhashed(), undefined, place.surroundings);
    expect(server.requests.map(({ range }) => range)).toEqual([undefined, undefined]);
  });
});

it.each(['ignore ranges' as const, 'wrong range' as const, { status: 416 }])(
  'without a checksum to tell it: %j does not damage the file',
  async (how) => {
    server.misbehave({ dropAfter: 100_000 }, how);
    await obtain(unhashed(), undefined, place.surroundings);
    expect((await stored()).equals(content)).toBe(true);
  },
);

describe('a file that the user has', () => {
  it('is copied and checked without any connection', async () => {
    await writeFile(place.at('mine.pt'), content);
    const got = await obtain(hashed(), place.at('mine.pt'), place.surroundings);
    expect(got).toMatchObject({ how: 'imported', sha256: sha256(content) });
    expect((await stored()).equals(content)).toBe(true);
    expect(server.requests).toHaveLength(0);
  });

  it('is refused when it is another one, and is left as it was', async () => {
    await writeFile(place.at('mine.pt'), 'not it');
    const error = await failure(obtain(hashed(), place.at('mine.pt'), place.surroundings));
    expect(error.code).toBe('E_WEIGHTS_HASH');
    expect(error.message).toContain(place.at('mine.pt'));
    expect(await readFile(place.at('mine.pt'), 'utf8')).toBe('not it');
    expect(await names()).toEqual([]);
  });
});

it('a partial file of another address is not continued', async () => {
  server.misbehave({ dropAfter: 100_000 }, { status: 404 });
  await failure(obtain(hashed(), undefined, place.surroundings));
  expect(await partSize()).toBeGreaterThan(0);
  const moved = publicFile(`${server.url}?moved`, { sha256: sha256(content) });
  await obtain(moved, undefined, place.surroundings);
  expect(server.requests.at(-1)?.range).toBeUndefined();
});
