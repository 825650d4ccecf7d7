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

/** The server, and before it a way with a fault in every seventh answer. */
export async function openWay({ keys = 0, isFaulty = true } = {}): Promise<Way> {
  const server = spawn(python, [join(root, 'test/cli/s3_server.py'), String(keys)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const port = await new Promise<number>((done) => server.stdout.once('data', (text) => done(Number(text))));
  const faults = { refused: 0, cut: 0, slow: 0 };
  let count = 0;
  const way = createServer((asked, answer) => {
    count++;
    const fault =
      isFaulty && count % 7 === 3 ? ['refused', 'cut', 'slow'][Math.floor(count / 7) % 3] : undefined;
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
          return void setTimeout(() => came.pipe(answer), 1500);
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
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(way.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    close: () => closeWay(server, way),
  };
}

async function closeWay(server: ChildProcess, way: Server): Promise<void> {
  way.closeAllConnections();
  await new Promise((done) => way.close(done));
  const ended = new Promise((done) => server.once('exit', done));
  server.kill('SIGKILL');
  await ended;
}
