/**
 * Pictures and results in a bucket, behind a way that answers 500 and 503, cuts connections and is slow. Needs build/s3 with moto
 * (.ci/run makes it where pip is) and, for the queue, redis-server.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { craneNative, inScratch, lines, root, run } from './crane-native.js';
import { hasRedis, RedisServer, startWorker } from './queue-surroundings.js';
import { envOf, hasS3, openWay, type S3Server, startLister, startS3 } from './s3-surroundings.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

/** More than two pages of a list. */
const k_keys = 2500;
let server: S3Server;
beforeAll(async () => {
  if (hasS3) server = await startS3(k_keys);
}, 120_000);
afterAll(() => server?.stop());

/** Code that uses the store as the commands do. */
const inNode = (code: string, env: NodeJS.ProcessEnv) =>
  run(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { openStore } from ${JSON.stringify(join(root, 'dist/stores/open-store.js'))};\n${code}`,
    ],
    { env },
  );

it.skipIf(!hasS3)(
  'pictures of a bucket score as those of a folder, whatever the way does',
  async () => {
    await inScratch(async (folder) => {
      const model = await makeTinyModel(join(folder, 'tiny'));
      const set = await makeNoiseSet(join(folder, 'set'), 24);
      const way = await openWay(server);
      try {
        const upload = await inNode(
          `import { readdirSync } from 'node:fs';
        const store = await openStore('s3://parts/line 1');
        for (const kind of ['good', 'square'])
          for (const name of readdirSync(${JSON.stringify(join(set, 'part/test'))} + '/' + kind))
            await store.upload(kind + '/' + name, ${JSON.stringify(join(set, 'part/test'))} + '/' + kind + '/' + name);
        await store.write('good/notes.txt', 'none');
        await store.write('good/0_mask.png', 'a mask');
        await store.write('good/.hidden.png', 'hidden');`,
          way.env,
        );
        expect(upload.code, upload.stderr).toBe(0);
        const args = ['--model', model, '--recursive', '--no-timings'];
        const far = await craneNative(['score', 's3://parts/line 1', ...args], { env: way.env });
        expect(far.code, far.stderr).toBe(0);
        const near = await craneNative(['score', join(set, 'part/test'), ...args]);
        const short = (each: Record<string, unknown>, base: string) => ({
          ...each,
          input: String(each['input']).slice(base.length),
        });
        const ofFar = lines(far).map((each) => short(each, 's3://parts/line 1'));
        expect(ofFar).toEqual(lines(near).map((each) => short(each, join(set, 'part/test'))));
        expect(far.stderr).toMatch(/24 pictures; left out: .*1 mask/);
        expect(far.stderr).toMatch(/1 hidden/);

        const one = await craneNative(
          ['score', 's3://parts/line 1/good/0.png', 's3://parts/none.png', '--model', model],
          { env: way.env },
        );
        expect(one.code).toBe(3);
        expect(lines(one)).toMatchObject([
          { input: 's3://parts/line 1/good/0.png' },
          { error: { code: 'E_INPUT_NOT_FOUND' } },
        ]);
        expect(Math.min(...Object.values(way.faults)), JSON.stringify(way.faults)).toBeGreaterThan(1);
      } finally {
        await way.close();
      }
    });
  },
  300_000,
);

it.skipIf(!hasS3 || !hasRedis)(
  'a queue from bucket to bucket has the rows of one run',
  async () => {
    await inScratch(async (folder) => {
      const model = await makeTinyModel(join(folder, 'tiny'));
      const set = await makeNoiseSet(join(folder, 'set'), 24);
      const way = await openWay(server);
      const redis = await RedisServer.start(join(folder, 'redis'));
      const where = ['--redis', redis.address];
      try {
        const good = join(set, 'part/test/good');
        const upload = await inNode(
          `import { readdirSync } from 'node:fs';
        const store = await openStore('s3://parts/in');
        for (const name of readdirSync(${JSON.stringify(good)})) await store.upload(name, ${JSON.stringify(good)} + '/' + name);`,
          way.env,
        );
        expect(upload.code, upload.stderr).toBe(0);
        const submitted = await craneNative(
          [
            'submit',
            's3://parts/in',
            '--model',
            model,
            '--out',
            's3://parts/out',
            '--chunk',
            '5',
            '--maps',
            'npy',
            '--backoff-ms',
            '50',
            ...where,
          ],
          { env: way.env },
        );
        expect(submitted.code, submitted.stderr).toBe(0);
        const worker = startWorker([...where, '--model', model, '--until-empty'], way.env);
        expect(await worker.ended, worker.said()).toBe(0);
        const out = join(folder, 'all.jsonl');
        const merged = await craneNative(['merge', 's3://parts/out', '--out', out], { env: way.env });
        expect(merged.code, merged.stderr).toBe(0);
        const rows = (await readFile(out, 'utf8'))
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
        const near = lines(await craneNative(['score', good, '--model', model]));
        expect(rows.map(({ score }) => score)).toEqual(near.map(({ score }) => score));
        const map = await inNode(
          `const bytes = await (await openStore('s3://parts/out')).read(${JSON.stringify(rows[3].map)});
        console.log(Buffer.from(bytes.subarray(1, 6)).toString());`,
          way.env,
        );
        expect(map.stdout, map.stderr).toBe('NUMPY\n');
      } finally {
        await redis.stop();
        await way.close();
      }
    });
  },
  300_000,
);

it.skipIf(!hasS3)(
  'results go into a bucket whole or not at all, with their maps and a table',
  async () => {
    await inScratch(async (folder) => {
      const model = await makeTinyModel(join(folder, 'tiny'));
      const set = await makeNoiseSet(join(folder, 'set'), 24);
      const good = join(set, 'part/test/good');
      const way = await openWay(server);
      const env = { ...way.env, XDG_CACHE_HOME: join(folder, 'cache') };
      const cli = (...args: string[]) => craneNative(args, { env });
      const score = (...args: string[]) => cli('score', good, '--model', model, '--no-timings', ...args);
      const read = async (key: string) => {
        const code = `process.stdout.write(await (await openStore('s3://parts')).read(${JSON.stringify(key)}));`;
        const { code: exit, stdout, stderr } = await inNode(code, env);
        return exit === 0 ? stdout : stderr;
      };
      try {
        const near = await score('--format', 'jsonl');
        // Not whole yet: the maps may lie there, the results do not.
        const part = await score(
          '--out',
          's3://parts/r',
          '--maps',
          'npy',
          '--format',
          'parquet',
          '--limit',
          '5',
        );
        expect(part.code, part.stderr).toBe(0);
        const again = await score('--out', 's3://parts/r', '--format', 'parquet');
        expect(again.code).toBe(2);
        expect(again.stderr).toContain('s3://parts/r/results.jsonl: exists already');
        const whole = await score(
          '--out',
          's3://parts/r',
          '--maps',
          'npy',
          '--format',
          'parquet',
          '--resume',
        );
        expect(whole.code, whole.stderr).toBe(0);
        expect(whole.stdout).toBe('');
        const rows = lines({ ...whole, stdout: await read('r/results.jsonl') });
        expect(rows.map(({ map: _, ...row }) => row)).toEqual(lines(near));
        expect(await read(`r/${rows[7]!['map']}`)).toContain('NUMPY');
        expect((await read('r/results.parquet')).slice(0, 4)).toBe('PAR1');

        for (const shard of ['1/2', '2/2']) {
          const run = await score('--shard', shard, '--out', 's3://parts/shards', '--format', 'csv');
          expect(run.code, run.stderr).toBe(0);
        }
        const merged = await cli('merge', 's3://parts/shards', '--out', 's3://parts/all.jsonl');
        expect(merged.code, merged.stderr).toBe(0);
        expect(lines({ ...merged, stdout: await read('all.jsonl') })).toEqual(lines(near));
        expect((await cli('merge', 's3://parts/shards', '--out', 's3://parts/all.jsonl')).code).toBe(2);
        expect((await cli('merge', 's3://parts/none', '--out', join(folder, 'x.csv'))).stderr).toContain(
          'neither a submission nor shards',
        );

        // The store does not answer at the end: nothing is lost, and the same command sends it.
        const away = { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
        const args = ['score', good, '--model', model, '--no-timings', '--out', 's3://parts/late'];
        const lost = await craneNative(args, { env: away });
        expect(lost.code).toBe(5);
        expect(lost.stderr).toContain('AWS_ENDPOINT_URL');
        expect(await read('late/results.jsonl')).toContain('E_INPUT_NOT_FOUND');
      } finally {
        await way.close();
      }
    });
  },
  300_000,
);

it.skipIf(!hasS3)(
  'keys are listed page by page in their order, and created only once each',
  async () => {
    const listed = await inNode(
      `const store = await openStore('s3://many/line');
      const keys = [];
      for await (const { key } of store.list('')) keys.push(key);
      console.log(JSON.stringify(keys));
      const parts = await openStore('s3://parts');
      const made = await Promise.all(Array.from({ length: 16 }, (_, at) => parts.create('once', String(at))));
      console.log(made.filter(Boolean).length);`,
      envOf(server.port),
    );
    expect(listed.code, listed.stderr).toBe(0);
    const [told, once] = listed.stdout.trim().split('\n');
    const keys = JSON.parse(told!) as string[];
    expect(keys).toHaveLength(k_keys);
    expect(new Set(keys).size).toBe(k_keys);
    expect(keys).toEqual([...keys].sort());
    expect(once).toBe('1');
  },
  120_000,
);

it('a hundred thousand keys are listed in constant memory', async () => {
  const lister = await startLister(100_000);
  try {
    const listed = await inNode(
      `const store = await openStore('s3://many/line');
      let count = 0, early = 0, bytes = 0;
      for await (const each of store.list('')) {
        if (each.key !== String(count).padStart(7, '0') + '.png') throw new Error(each.key);
        bytes += each.bytes;
        if (++count === 20_000) { globalThis.gc(); early = process.memoryUsage().heapUsed; }
      }
      globalThis.gc();
      console.log(JSON.stringify({ count, bytes, grown: process.memoryUsage().heapUsed - early }));`,
      { ...envOf(lister.port), NODE_OPTIONS: '--expose-gc' },
    );
    expect(listed.code, listed.stderr).toBe(0);
    const { count, bytes, grown } = JSON.parse(listed.stdout) as Record<string, number>;
    expect(count).toBe(100_000);
    expect(bytes).toBe((99_999 * 100_000) / 2);
    expect(grown).toBeLessThan(4e6);
  } finally {
    await lister.stop();
  }
}, 120_000);
