/** A file whose publisher replaces it between two runs: no bytes of the two versions ever stand in one file. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchPart, partOf, type WeightTransfer } from '../../../../src/models/weights/fetch-file.js';
import { type FileServer, startFileServer } from './file-server.js';
import { noise, openWorkplace, type Workplace } from './workplace.js';

const before = noise(300_000, 1);
const after = noise(300_000, 2);
let place: Workplace;
let server: FileServer;
beforeEach(async () => {
  place = await openWorkplace();
  server = await startFileServer(before, place.cache);
});
afterEach(async () => {
  await server.close();
  await place.close();
});

const path = () => place.at('file.bin');
/** Nobody publishes a checksum of it. */
const fetch = (change: Partial<WeightTransfer> = {}) =>
  fetchPart(server.url, path(), false, { ...place.transfer, ...change });
const once = { retries: { attempts: 1, pauseMs: 1 } };

/** Some of the first version. */
async function begin(): Promise<void> {
  server.misbehave({ dropAfter: 100_000 });
  await expect(fetch(once)).rejects.toThrow();
  expect((await readFile(partOf(path()))).length).toBeGreaterThan(0);
}

describe('a replaced file', () => {
  it('is fetched anew', async () => {
    await begin();
    server.replace(after);
    await fetch();
    expect((await readFile(partOf(path()))).equals(after)).toBe(true);
  });

  it('is fetched anew where the process was killed before its first byte', async () => {
    await begin();
    server.replace(after);
    const killed = () => {
      throw new Error('killed');
    };
    await expect(fetch({ progress: { start: killed, add() {}, stop() {} } })).rejects.toThrow('killed');
    expect(existsSync(partOf(path()))).toBe(false);
    await fetch();
    expect((await readFile(partOf(path()))).equals(after)).toBe(true);
  });

  it('is fetched anew from a server that sends parts of whatever it has', async () => {
    await begin();
    server.replace(after);
    server.misbehave('ignore If-Range');
    await fetch();
    expect((await readFile(partOf(path()))).equals(after)).toBe(true);
    expect(server.requests.at(-1)!.range).toBeUndefined();
  });

  it('is gone on with where it is the same', async () => {
    await begin();
    await fetch();
    expect((await readFile(partOf(path()))).equals(before)).toBe(true);
    expect(server.requests.at(-1)!.range).toMatch(/^bytes=[1-9]/);
  });
});
