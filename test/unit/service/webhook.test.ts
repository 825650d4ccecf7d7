/** Results that are delivered to a webhook: signed, until it confirms, each receiver for itself. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jsonLinesReceiver, signatureOf, webhookReceiver } from '../../../src/service/watch/receivers.js';
import { writePicture } from '../engine/toy-model.js';
import { until } from './fake-service.js';
import { eachWatchedFolder, linesOf } from './watched-folder.js';

const at = eachWatchedFolder();

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
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await at.watched.start([webhookReceiver(url, 'the secret')]);
    await until(() => got.length === 1);
    const { headers, body } = got[0]!;
    expect(JSON.parse(body)).toEqual(at.watched.told.results[0]);
    expect(headers['crane-key']).toBe(at.watched.told.results[0]!.key);
    const seconds = Number(/^t=(\d+),/.exec(String(headers['crane-signature']))?.[1]);
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60);
    expect(headers['crane-signature']).toBe(signatureOf('the secret', seconds, body));
    expect(signatureOf('another', seconds, body)).not.toBe(headers['crane-signature']);
  });

  it('is tried again until it confirms, in the order of the results', async () => {
    statuses = [500, 429, 503];
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await at.watched.start([webhookReceiver(url, undefined)]);
    await until(() => at.watched.told.results.length === 1);
    await writePicture(join(at.watched.folder, 'b.png'), 51);
    await until(() => got.length === 5);
    const keys = got.map(({ headers }) => headers['crane-key']);
    const [first, second] = at.watched.told.results.map(({ key }) => key);
    expect(keys).toEqual([first, first, first, first, second]);
    expect(at.watched.told.delayed).toEqual(['it answers 500', 'it answers 429', 'it answers 503']);
    expect(got[0]!.headers['crane-signature']).toBeUndefined();
  });

  it('that was away gets its results after a restart', async () => {
    statuses = Array(1000).fill(503) as number[];
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await at.watched.start([webhookReceiver(url, undefined)]);
    await until(() => got.length >= 2);
    await at.watched.stop(50);
    statuses = [];
    const before = got.length;
    await at.watched.start([webhookReceiver(url, undefined)]);
    await until(() => got.length === before + 1 && at.watched.told.known.length === 1);
    expect(got.at(-1)!.headers['crane-key']).toBe(at.watched.told.results[0]!.key);
    await at.watched.stop();
    expect((await linesOf(at.watched.state)).at(-1)).toEqual({
      key: at.watched.told.results[0]!.key,
      receiver: `webhook ${url}`,
    });
  });

  it('that does not want a result is told of, and not sent it again', async () => {
    statuses = [400];
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await at.watched.start([webhookReceiver(url, undefined)]);
    await until(() => at.watched.told.refused.length === 1);
    await writePicture(join(at.watched.folder, 'b.png'), 51);
    await until(() => got.length === 2);
    expect(at.watched.told.refused[0]).toBe(`${at.watched.told.results[0]!.key} it answers 400`);
    expect(got[1]!.headers['crane-key']).toBe(at.watched.told.results[1]!.key);
  });

  it('with a name and a password in its address is sent them, and nobody else is', async () => {
    statuses = [503];
    await writePicture(join(at.watched.folder, 'a.png'), 204);
    await at.watched.start([webhookReceiver(url.replace('//', '//me:p%40ss@'), undefined)]);
    await until(() => got.length === 2);
    await at.watched.stop();
    for (const { headers } of got)
      expect(headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    const kept = await readFile(at.watched.state, 'utf8');
    expect(kept).toContain(`webhook ${url}`);
    expect(kept + JSON.stringify(at.watched.told)).not.toContain('p%40ss');
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
    const path = join(at.watched.scratch, 'out.jsonl');
    for (const [name, brightness] of [
      ['a.png', 204],
      ['b.png', 51],
    ] as const)
      await writePicture(join(at.watched.folder, name), brightness);
    await at.watched.start([webhookReceiver(url, undefined), await jsonLinesReceiver(path)]);
    await until(
      () => got.length >= 2 && existsSync(path) && readFileSync(path, 'utf8').split('\n').length === 3,
    );
    await at.watched.stop(50);
    expect(await linesOf(path)).toEqual(at.watched.told.results);
  });
});
