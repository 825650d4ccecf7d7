/** An S3 server (build/s3 with moto, which .ci/run makes where pip is), and before it a way that refuses, cuts and waits. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { root } from './crane-native.js';

const python = join(root, 'build/s3/bin/python');
export const hasS3 = existsSync(python);

export interface Way {
  env: NodeJS.ProcessEnv;
  faults: { refused: number; cut: number; slow: number };
  close(): Promise<void>;
}

export interface S3Server {
  port: number;
  stop(): Promise<void>;
}

/** moto, with an empty bucket "parts" and so many keys in "many". It takes seconds to start: one does for a file. */
export async function startS3(keys = 0): Promise<S3Server> {
  const child = spawn(python, [join(root, 'test/cli/s3_server.py'), String(keys)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const port = await new Promise<number>((done) => child.stdout.once('data', (text) => done(Number(text))));
  return { port, stop: () => endOf(child) };
}

function endOf(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGKILL');
  return ended;
}

/**
 * Lists `count` keys a thousand at a time, as S3 does, and holds none of them: moto sorts all of its keys for each page.
 */
export async function startLister(count: number): Promise<S3Server> {
  const keyOf = (at: number) => `line/${String(at).padStart(7, '0')}.png`;
  const server = createServer((asked, answer) => {
    const query = new URL(asked.url!, 'http://localhost').searchParams;
    const first = Number(query.get('continuation-token') ?? 0);
    const end = Math.min(count, first + 1000);
    const contents: string[] = [];
    for (let at = first; at < end; at++)
      contents.push(
        `<Contents><Key>${keyOf(at)}</Key><Size>${at}</Size><ETag>"${String(at).padStart(32, '0')}"</ETag>` +
          '<LastModified>2026-01-01T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>',
      );
    const next = end < count ? `<NextContinuationToken>${end}</NextContinuationToken>` : '';
    answer.setHeader('content-type', 'application/xml');
    answer.end(
      `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>many</Name><Prefix>line/</Prefix>` +
        `<IsTruncated>${next !== ''}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as AddressInfo).port, stop: () => closed(server) };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

/** What a client needs to reach a server. */
export const envOf = (port: number): NodeJS.ProcessEnv => ({
  AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** Before a server (one of its own, where none is given) a way with a fault in every seventh answer. */
export async function openWay(given?: S3Server): Promise<Way> {
  const server = given ?? (await startS3());
  const { port } = server;
  const faults = { refused: 0, cut: 0, slow: 0 };
  let count = 0;
  const way = createServer((asked, answer) => {
    count++;
    const fault = count % 7 === 3 ? ['refused', 'cut', 'slow'][Math.floor(count / 7) % 3] : undefined;
    if (fault === 'refused') {
      faults.refused++;
      asked.resume();
      return void answer.writeHead(count % 2 ? 503 : 500).end();
    }
    const onward = request(
      { port, host: '127.0.0.1', path: asked.url, method: asked.method, headers: asked.headers },
      (came) => {
        answer.writeHead(came.statusCode!, came.headers);
        if (fault === 'slow') {
          faults.slow++;
          return void setTimeout(() => came.pipe(answer), 400);
        }
        if (fault !== 'cut') return void came.pipe(answer);
        faults.cut++;
        came.once('data', (chunk: Buffer) => {
          answer.write(chunk.subarray(0, chunk.length >> 1));
          setTimeout(() => answer.destroy(), 20);
        });
        came.once('end', () => answer.destroy());
      },
    );
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((done) => way.listen(0, '127.0.0.1', done));
  return {
    faults,
    env: envOf((way.address() as AddressInfo).port),
    close: async () => {
      await closed(way);
      if (given === undefined) await server.stop();
    },
  };
}
