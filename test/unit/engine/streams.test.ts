/** Pictures that come as streams, of Node and of the web: the same scores, and let go however it ends. */
import { createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/load-engine.js';
import { bytesOfStream } from '../../../src/images/picture-stream.js';
import { makeFakeAddon } from './fake-addon.js';
import { makeToyFolder, makeToyModel, writePicture } from './toy-model.js';

let folder: string;
let path: string;
let engine: Engine;
beforeEach(async () => {
  folder = await makeToyFolder();
  engine = await openEngine(makeFakeAddon(), await makeToyModel(folder), { maxDecodedBytes: 4000 });
  path = await writePicture(join(folder, 'a.png'), 204, 200, 100);
});
afterEach(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** In chunks of one byte each, so that nothing depends on where they end. */
const drips = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte));

describe('a stream', () => {
  it('is scored like the file', async () => {
    const { score } = await engine.score(path);
    const bytes = await readFile(path);
    expect(await engine.score(createReadStream(path))).toMatchObject({ score, input: '<stream>' });
    expect(await engine.score(Readable.from(drips(bytes)), { name: 'x' })).toMatchObject({
      score,
      input: 'x',
    });
    const web = () => new Blob([new Uint8Array(bytes)]).stream();
    expect(await engine.score(web())).toMatchObject({ score });
    expect(await engine.score(new Response(web()).body!)).toMatchObject({ score });
    expect(engine.decodedBytes).toBe(0);
  });

  it('may be an entry of many', async () => {
    const results = [];
    for await (const result of engine.scoreMany([path, createReadStream(path), createReadStream(folder)]))
      results.push(result);
    expect(results.slice(0, 2)).toMatchObject([{ index: 0 }, { index: 1, score: expect.any(Number) }]);
    expect(results[2]).toMatchObject({ error: { code: 'E_IO_READ' } });
  });

  it('of which nothing more comes is let go by signal, deadline and dispose', async () => {
    const given = { signal: new PassThrough(), deadline: new PassThrough(), dispose: new PassThrough() };
    for (const stream of Object.values(given))
      stream.write(await readFile(path).then((all) => all.subarray(0, 50)));
    const stop = new AbortController();
    const bySignal = engine.score(given.signal, { signal: stop.signal });
    const byDeadline = engine.score(given.deadline, { deadlineMs: 30 });
    const byDispose = engine.score(given.dispose);
    stop.abort();
    await expect(bySignal).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await expect(byDeadline).rejects.toMatchObject({ code: 'E_DEADLINE' });
    const refused = expect(byDispose).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await engine.dispose();
    await refused;
    for (const stream of Object.values(given)) expect(stream.destroyed).toBe(true);
  });

  it('that breaks off is an error that says so', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('abc');
        throw new Error('the line went down');
      })(),
    );
    await expect(engine.score(broken)).rejects.toMatchObject({
      code: 'E_IO_READ',
      message: expect.stringMatching(/^<stream>: the stream broke off: the line went down/),
    });
    const web = new ReadableStream<Uint8Array>({ pull: (to) => to.error(new Error('gone')) });
    await expect(engine.score(web)).rejects.toMatchObject({ code: 'E_IO_READ' });
    expect(engine.decodedBytes).toBe(0);
  });

  it('that was read already, or gives no bytes, is refused', async () => {
    const stream = createReadStream(path);
    await engine.score(stream);
    await expect(engine.score(stream)).rejects.toMatchObject({ code: 'E_USAGE' });
    const locked = new Blob(['abc']).stream();
    locked.getReader();
    await expect(engine.score(locked)).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(engine.score(Readable.from(['text']))).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(engine.score(Readable.from([]))).rejects.toMatchObject({ code: 'E_IMAGE_EMPTY' });
    const ended = new Blob(['abc']).stream();
    await new Response(ended).arrayBuffer();
    await expect(engine.score(ended)).rejects.toMatchObject({
      code: expect.stringMatching(/E_USAGE|E_IMAGE_EMPTY/),
    });
  });

  it('without an end is refused once it is longer than any picture may be', async () => {
    let given = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (to) => {
        given++;
        to.enqueue(new Uint8Array(2 ** 20));
      },
    });
    const error = await bytesOfStream('s', endless, { maxPixels: 64 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'E_IMAGE_TOO_LARGE' });
    expect(given).toBeLessThan(20);
  });

  it('is learned as a normal picture, by the hash of its bytes', async () => {
    const ofFile = await engine.learnNormals([path]);
    const ofStream = await engine.learnNormals([{ input: createReadStream(path), name: path }]);
    expect(ofStream.facts.pictures).toEqual(ofFile.facts.pictures);
  });
});
