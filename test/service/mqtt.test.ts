/** Results at a real broker. Needs mosquitto (.ci/run installs it where it may). */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterEach, expect, it } from 'vitest';
import { inScratch, root, samples } from '../cli/crane-native.js';
import { until } from './serve.js';

const broker = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto'].find((path) => existsSync(path));
const started: ChildProcess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGTERM');
    await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(0)));
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it.skipIf(!broker)(
  'a broker gets each result, also one that was away when it came',
  async () => {
    await inScratch(async (folder) => {
      const port = await freePort();
      const config = join(folder, 'mosquitto.conf');
      await writeFile(config, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
      const pictures = join(folder, 'in');
      await mkdir(pictures);
      await copyFile(join(samples, 'bsdata-pitting-p00.jpg'), join(pictures, 'a.jpg'));
      const url = `mqtt://127.0.0.1:${port}`;
      const main = join(root, 'dist/cli/main.js');
      const watching = spawn(
        process.execPath,
        [main, 'watch', pictures, '--mqtt', url, '--mqtt-topic', 'line/1'],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      started.push(watching);
      let stdout = '';
      watching.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      // The result is there before the broker is.
      await until(() => stdout.includes('\n'));
      started.push(spawn(broker!, ['-c', config], { stdio: 'ignore' }));
      const listener = mqtt.connect(url, { reconnectPeriod: 100 });
      listener.on('error', () => {});
      const got: Record<string, unknown>[] = [];
      listener.on('message', (_topic, payload) =>
        got.push(JSON.parse(payload.toString()) as Record<string, unknown>),
      );
      await new Promise<void>((resolve) => listener.once('connect', () => resolve()));
      await listener.subscribeAsync('line/#', { qos: 1 });
      await copyFile(join(samples, 'bsdata-good-g00.jpg'), join(pictures, 'b.jpg'));
      await until(() => got.some(({ input }) => input === 'b.jpg'));
      expect(got.find(({ input }) => input === 'b.jpg')).toMatchObject({
        key: expect.any(String),
        score: expect.any(Number),
      });
      await listener.endAsync();
      // The broker confirmed both.
      const state = `${pictures}.crane-watch.jsonl`;
      const receipts = async () =>
        (await readFile(state, 'utf8')).split('\n').filter((line) => line.includes('"receiver"'));
      await until(async () => (await receipts()).length === 2);
      expect(await receipts()).toEqual([
        expect.stringContaining('line/1'),
        expect.stringContaining('line/1'),
      ]);
    });
  },
  90_000,
);
