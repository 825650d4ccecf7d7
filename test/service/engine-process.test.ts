/** The real engine behind the real service: the same scores, an abort in native code, the end of the service. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { craneNative, lines, root, samples } from '../cli/crane-native.js';
import { type Served, serve, stop, until } from './serve.js';

const path = join(samples, 'bsdata-pitting-p00.jpg');
const picture = readFileSync(path);
let served: Served | undefined;
afterEach(async () => {
  if (served) await stop(served);
  served = undefined;
});

interface Answer {
  status: number;
  score?: number;
  code?: string;
  /** answers that came on the connection */
  count: number;
}
/** On a connection of its own, which is read to its end, so that a second answer would be seen. */
function post(url: string): Promise<Answer> {
  return new Promise((resolve) => {
    let count = 0;
    const asked = request(
      `${url}v1/score?regions=true`,
      { method: 'POST', agent: false, headers: { 'content-type': 'image/jpeg', connection: 'close' } },
      (reply) => {
        count++;
        let text = '';
        reply.on('data', (chunk) => {
          text += chunk;
        });
        reply.on('end', () => {
          const { score, error } = JSON.parse(text) as { score?: number; error?: { code: string } };
          resolve({
            status: reply.statusCode ?? 0,
            count,
            ...(score === undefined ? {} : { score }),
            ...(error ? { code: error.code } : {}),
          });
        });
      },
    );
    asked.on('error', () => resolve({ status: 0, count }));
    asked.end(picture);
  });
}
const inFlight = async (url: string) =>
  Number(/^crane_in_flight_pictures (\d+)/m.exec(await (await fetch(`${url}metrics`)).text())?.[1]);

describe('the service', () => {
  it('gives the scores and regions of the command line', async () => {
    served = await serve();
    const [line] = lines(
      await craneNative(['score', path, '--regions', '--no-timings', '--format', 'jsonl']),
    );
    const reply = await fetch(`${served.url}v1/score?regions=true`, {
      method: 'POST',
      body: new Uint8Array(picture),
      headers: { 'content-type': 'image/jpeg' },
    });
    const { ms, ...result } = (await reply.json()) as Record<string, unknown>;
    expect({ ...result, input: path }).toEqual(line);
    expect(ms).toBeDefined();
  }, 60_000);

  it('outlives an abort of its engine: 503 for the pictures that it had, then ready again', async () => {
    served = await serve();
    const { url } = served;
    const working = Array.from({ length: 8 }, () => post(url));
    await until(async () => (await inFlight(url)) === 8);
    process.kill(served.enginePid(), 'SIGABRT');
    const answers = await Promise.all(working);
    for (const { status, score, code, count } of answers) {
      expect(count).toBe(1);
      // What was done before the abort is an answer like any other.
      if (status === 200) expect(score).toBeGreaterThan(0.9);
      else expect([status, code]).toEqual([503, 'E_SERVICE_DOWN']);
    }
    expect(answers.some(({ status }) => status === 503)).toBe(true);
    await until(async () => (await fetch(`${url}readyz`)).status === 200);
    expect((await post(url)).status).toBe(200);
    expect(served.lines().find(({ msg }) => msg === 'the engine ended')).toMatchObject({
      how: 'SIGABRT',
      waitMs: 0,
    });
  }, 60_000);

  it('told to end with 32 pictures at work, answers each of them once', async () => {
    served = await serve(['--drain-ms', '120000', '--size', '224']);
    const { url } = served;
    const working = Array.from({ length: 32 }, () => post(url));
    await until(async () => (await inFlight(url)) >= 24);
    served.process.kill('SIGTERM');
    const answers = await Promise.all(working);
    for (const { status, count } of answers) {
      expect([200, 503, 0]).toContain(status);
      expect(count).toBe(status === 0 ? 0 : 1);
    }
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(24);
    expect(await served.ended).toBe(0);
  }, 120_000);

  it('ends with a fault of its operator before it listens', async () => {
    const run = await craneNative(['serve', '--model', 'none', '--port', '0']);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('no model is called "none"');
    const open = await craneNative(['serve', '--host', '0.0.0.0']);
    expect([open.code, open.stderr]).toEqual([2, expect.stringContaining('--token-file')]);
  }, 60_000);
});

it('an engine for which no descriptor is left has ended before it began, and nothing else ends', async () => {
  const script = `
    import { openSync, closeSync } from 'node:fs';
    import { startEngineProcess } from ${JSON.stringify(pathToFileURL(join(root, 'dist/service/engine-process.js')).href)};
    const open = [];
    try {
      for (;;) open.push(openSync('/dev/null'));
    } catch {}
    const { ended, channel, pid, kill } = startEngineProcess();
    for (const one of open) closeSync(one);
    kill();
    console.log(JSON.stringify({ how: await ended, isDestroyed: channel.destroyed, pid }));`;
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    'ulimit -n 64; exec "$0" --input-type=module -e "$1"',
    process.execPath,
    script,
  ]);
  expect(JSON.parse(stdout)).toEqual({ how: expect.stringContaining('EMFILE'), isDestroyed: true });
});
