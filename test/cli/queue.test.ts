/**
 * The queue under fire: workers and the server killed, the disk full, the store slow; every picture has one result, and what a killed worker had
 * done is not done again. CRANE_QUEUE_FIRE=500,50,5 asks for so many jobs, kills of workers and restarts of Redis (the full
 * measure of docs/scaling.md); without it a small one runs. Needs redis-server, and build/s3 for the
 * slow store (.ci/run makes both).
 */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { craneNative, inScratch } from './crane-native.js';
import { Fleet, fillDisk, hasRedis, RedisServer, smallDisk, startWorker } from './queue-surroundings.js';
import { hasS3, openWay } from './s3-surroundings.js';
import { makeTinyModel } from './tiny-model.js';

const [jobs, kills, restarts] = (process.env['CRANE_QUEUE_FIRE'] ?? '12,4,1').split(',').map(Number) as [
  number,
  number,
  number,
];
const k_chunk = 20;
const k_pictures = 40;
const k_rows = 'crane-native:crane-native:rows:*';

const cli = (...args: string[]) => craneNative(args);
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Some pictures under many names, a few of them none at all. */
async function makePictures(folder: string, count: number): Promise<void> {
  await mkdir(folder);
  for (let at = 0; at < k_pictures; at++) {
    const raw = { width: 48, height: 40, channels: 3 } as const;
    const data = Buffer.from({ length: 48 * 40 * 3 }, () => 0).map(
      (_, each) => (each * (at + 3) * 7919) % 251,
    );
    await sharp(data, { raw })
      .png()
      .toFile(join(folder, `p${String(at).padStart(5, '0')}.png`));
  }
  for (let at = k_pictures; at < count; at++) {
    const path = join(folder, `p${String(at).padStart(5, '0')}.png`);
    if (at % 97 === 0) await writeFile(path, 'no picture');
    else await copyFile(join(folder, `p${String(at % k_pictures).padStart(5, '0')}.png`), path);
  }
}

type Line = { input: string; index: number; ms?: object };
const withoutTimes = (line: Line) => ({ ...line, ms: undefined });
const linesOf = async (path: string) =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/**
 * @param kept rows that a killed worker had done: they have to stay as they are, times included
 * @returns what is wrong with results, beside those of one process that was left alone
 */
function faultsOf(rows: readonly Line[], alone: readonly Line[], kept: readonly string[]): string[] {
  const faults = rows.length === alone.length ? [] : [`${rows.length} rows of ${alone.length}`];
  for (const [at, row] of rows.entries())
    if (JSON.stringify(withoutTimes(row)) !== JSON.stringify(alone[at] && withoutTimes(alone[at])))
      faults.push(`row ${at}: ${JSON.stringify(row)}`);
  const all = new Set(rows.map(({ input, ms }) => JSON.stringify([input, ms])));
  for (const line of kept) {
    const { input, ms } = JSON.parse(line) as Line;
    if (!all.has(JSON.stringify([input, ms]))) faults.push(`done again: ${line}`);
  }
  return faults;
}

it.skipIf(!hasRedis)(
  'kills, restarts, a full disk and a slow store lose no picture and double none',
  async () => {
    await inScratch(async (folder) => {
      const model = await makeTinyModel(join(folder, 'tiny'));
      const half = [Math.ceil(jobs / 2), Math.floor(jobs / 2)] as const;
      const [near, far] = [join(folder, 'near'), join(folder, 'far')];
      await makePictures(near, half[0] * k_chunk);
      await makePictures(far, half[1] * k_chunk);
      const out = join(folder, 'out');
      await mkdir(out);
      const disk = smallDisk(out, 64);
      const way = hasS3 ? await openWay() : undefined;
      const farOut = way ? 's3://parts/out' : join(folder, 'far-out');
      const server = await RedisServer.start(join(folder, 'redis'));
      const redis = new Redis(server.address, { maxRetriesPerRequest: null });
      redis.on('error', () => {});
      const run = (...args: string[]) => craneNative(args, { env: way?.env ?? {} });
      const where = ['--redis', server.address];
      const fleet = new Fleet([...where, '--model', model, '--threads', '1', '--lock-ms', '2000'], way?.env);
      const submit = (pictures: string, to: string, ...more: string[]) =>
        run('submit', pictures, '--model', model, '--out', to, '--chunk', String(k_chunk), ...where, ...more);
      try {
        const alone = join(folder, 'alone');
        const scored = await run('score', near, far, '--model', model, '--threads', '1', '--out', alone);
        expect(scored.code, scored.stderr).toBe(3);

        for (const [pictures, to] of [
          [near, out],
          [far, farOut],
        ] as const) {
          const submitted = await submit(pictures, to, '--attempts', '50', '--backoff-ms', '200');
          expect(submitted.code, submitted.stderr).toBe(0);
        }
        fleet.start(2);

        /** Rows that a killed worker had done: they have to stay as they are. */
        const kept = new Map<string, string>();
        let inWork = 0;
        const plan = [...Array<string>(kills).fill('kill'), ...Array<string>(restarts).fill('restart')];
        // Early: the first half of the work is what goes to the disk.
        if (disk) plan.splice(plan.length >> 2, 0, 'disk');
        for (const [at, act] of plan.entries()) {
          // In the middle of a chunk, wherever that is: a worker takes a while to start.
          for (let wait = 0; wait < 400 && (await redis.keys(k_rows)).length === 0; wait++) await pause(50);
          await pause((at * 397) % 900);
          if (act === 'restart') await server.restart();
          else if (act === 'disk') {
            const filler = await fillDisk(out);
            await fleet.untilSaid('ENOSPC');
            await rm(filler);
          } else {
            await fleet.kill(at);
            const keys = await redis.keys(k_rows);
            if (keys.length > 0) inWork++;
            for (const key of keys)
              for (const [index, line] of Object.entries(await redis.hgetall(key)))
                kept.set(`${key} ${index}`, line);
            fleet.start(1);
          }
        }
        const until = Date.now() + 20 * 60_000;
        for (;;) {
          const { waiting, active, delayed, failed, dead } = JSON.parse(
            (await run('queue', 'status', '--json', ...where)).stdout,
          );
          expect(failed, JSON.stringify(dead)).toBe(0);
          if (waiting + active + delayed === 0) break;
          expect(Date.now()).toBeLessThan(until);
          await pause(500);
        }
        const rows: Line[] = [];
        for (const [from, to] of [
          [out, join(folder, 'near.jsonl')],
          [farOut, join(folder, 'far.jsonl')],
        ] as const) {
          const merging = await run('merge', from, '--out', to);
          expect(merging.code, merging.stderr).toBe(0);
          const first = rows.length;
          for (const line of await linesOf(to)) rows.push({ ...line, index: first + line.index });
        }
        const one = await linesOf(join(alone, 'results.jsonl'));
        expect(one).toHaveLength(jobs * k_chunk);
        const held = [...kept.values()];
        expect(held.length).toBeGreaterThan(0);
        expect(faultsOf(rows, one, held)).toEqual([]);
        // What must be found: a row lost, one doubled, one with another score, one that was done again.
        const [line] = held as [string];
        const changed = (input: string, change: object) =>
          rows.map((row) => (row.input === input ? { ...row, ...change } : row));
        const { input } = JSON.parse(line) as Line;
        expect(faultsOf(rows.slice(0, -1), one, held)).toHaveLength(1);
        expect(faultsOf([...rows, rows.at(-1)!], one, held).length).toBeGreaterThan(0);
        expect(faultsOf(changed(rows[0]!.input, { score: 0.123 }), one, held)).toHaveLength(1);
        expect(faultsOf(changed(input, { ms: { forward: -1 } }), one, held)).toEqual([`done again: ${line}`]);
        expect(await redis.keys(k_rows)).toEqual([]);
        if (way)
          expect(Math.min(...Object.values(way.faults)), JSON.stringify(way.faults)).toBeGreaterThan(0);
        console.log(
          `${jobs} jobs, ${kills} kills (${inWork} amid rows), ${restarts} restarts, disk ${disk ? 'filled once' : 'not filled: no mount here'}, ` +
            `store ${way ? JSON.stringify(way.faults) : 'none: no build/s3'}: ${rows.length} results, ${held.length} rows of killed workers kept`,
        );

        // What is done is known: the same work again asks for nothing.
        for (const [pictures, to, chunks] of [
          [near, out, half[0]],
          [far, farOut, half[1]],
        ] as const) {
          const again = await submit(pictures, to, '--json');
          expect(again.code, again.stderr).toBe(0);
          expect(JSON.parse(again.stdout)).toMatchObject({ chunks, done: chunks });
        }
      } finally {
        await fleet.end();
        redis.disconnect();
        await server.stop();
        disk?.unmount();
        await way?.close();
      }
    });
  },
  40 * 60_000,
);

it.skipIf(!hasRedis)(
  'a drained worker puts back what it has, and dead letters say why',
  async () => {
    await inScratch(async (folder) => {
      const model = await makeTinyModel(join(folder, 'tiny'));
      const pictures = join(folder, 'pictures');
      await makePictures(pictures, 400);
      const out = join(folder, 'out');
      const server = await RedisServer.start(join(folder, 'redis'));
      const where = ['--redis', server.address];
      const submit = (...more: string[]) =>
        cli('submit', pictures, '--model', model, '--out', out, ...where, ...more);
      try {
        await submit('--chunk', '400');
        const status = async () => JSON.parse((await cli('queue', 'status', '--json', ...where)).stdout);
        const worker = startWorker([...where, '--model', model, '--threads', '1']);
        const redis = new Redis(server.address);
        const rows = async () => {
          const [key] = await redis.keys(k_rows);
          return key === undefined ? 0 : await redis.hlen(key);
        };
        while ((await rows()) < 5) await pause(20);
        worker.process.kill('SIGTERM');
        await worker.ended;
        const done = await rows();
        expect(done).toBeGreaterThanOrEqual(5);
        expect(await status()).toMatchObject({ active: 0, failed: 0 });
        redis.disconnect();

        // Another worker that is not like the first refuses the work, and leaves it to others.
        const other = startWorker([...where, '--model', model, '--threads', '2', '--until-empty']);
        expect(await other.ended).toBe(3);
        expect(other.said()).toContain(
          'this worker is not like the others of this work: threads 2, expected 1',
        );
        expect(await status()).toMatchObject({ active: 0, failed: 0, completed: 0 });

        const last = startWorker([...where, '--model', model, '--threads', '1', '--until-empty']);
        expect(await last.ended, last.said()).toBe(0);
        expect((await cli('merge', out, '--format', 'csv')).stdout.trimEnd().split('\n')).toHaveLength(401);

        // A chunk that cannot be read: tried as often as was asked, then put aside with its reason, and taken up again.
        const [tries, limits] = [
          ['--attempts', '2', '--backoff-ms', '10'],
          ['--chunk', '200', '--limit', '200'],
        ];
        await submit(...limits, ...tries, '--regions');
        const { readdir, rename } = await import('node:fs/promises');
        const chunks = await readdir(join(out, 'chunks'));
        for (const name of chunks) await rename(join(out, 'chunks', name), join(out, name));
        const failing = startWorker([...where, '--model', model, '--threads', '1', '--until-empty']);
        expect(await failing.ended).toBe(0);
        expect(await status()).toMatchObject({
          failed: 1,
          dead: [{ attempts: 2, reason: expect.stringMatching(/^E_INPUT_NOT_FOUND: .*chunks/) }],
        });
        for (const name of chunks) await rename(join(out, name), join(out, 'chunks', name));
        expect((await cli('queue', 'retry', ...where)).stderr).toContain('1 jobs go on');
        const mending = startWorker([...where, '--model', model, '--threads', '1', '--until-empty']);
        expect(await mending.ended).toBe(0);
        expect(await status()).toMatchObject({ failed: 0, waiting: 0 });
      } finally {
        await server.stop();
      }
    });
  },
  300_000,
);
