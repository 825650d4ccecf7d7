// Two workers of one thread each beside one process of two threads, on the same pictures; and what a job costs beside its
// scoring: node test/bench/fleet.mjs [--rounds 4] [--pictures 96] [--chunk 12] [--jobs 200] [--model crane-mini]
// Needs redis-server (its log is written at every job), npm run build:ts and the addon. All processes are warm and wait asleep while
// another is measured; rounds alternate. Needs a quiet machine of two cores. The last line is JSON.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4' },
    pictures: { type: 'string', default: '96' },
    chunk: { type: 'string', default: '12' },
    jobs: { type: 'string', default: '200' },
    model: { type: 'string', default: 'crane-mini' },
    alone: { type: 'string' },
  },
});
const [rounds, pictures, chunk, jobs] = ['rounds', 'pictures', 'chunk', 'jobs'].map((name) =>
  Number(values[name]),
);
const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

if (values.alone) await beAlone(values.alone);
else await main();

/** One process with two threads: at each message it scores the folder and tells the seconds. */
async function beAlone(folder) {
  const { loadEngine } = await dist('index.js');
  const engine = await loadEngine({ model: values.model, threads: 2 });
  const files = readdirSync(folder).map((name) => join(folder, name));
  const pass = async () => {
    const began = performance.now();
    for await (const { error } of engine.scoreMany(files)) if (error) throw new Error(error.message);
    return (performance.now() - began) / 1000;
  };
  await pass();
  process.send('warm');
  process.on('message', async () => process.send(await pass()));
}

async function main() {
  const { WorkQueue } = await dist('work/queue.js');
  const { submitWork } = await dist('work/submit.js');
  const { openStore } = await dist('stores/open-store.js');
  const { rowField, rowsKey } = await dist('work/queue.js');
  const { places } = await dist('work/submission.js');
  const folder = mkdtempSync(join(tmpdir(), 'crane-fleet-'));
  const [set, out] = [join(folder, 'set'), join(folder, 'out')];
  for (const each of [set, out]) mkdirSync(each);
  const samples = join(root, 'models/crane-mini/samples');
  const good = readdirSync(samples).filter((name) => /\.(jpg|png)$/.test(name) && !name.includes('mask'));
  for (let at = 0; at < pictures; at++)
    copyFileSync(
      join(samples, good[at % good.length]),
      join(set, `${String(at).padStart(4, '0')}-${good[at % good.length]}`),
    );
  const names = readdirSync(set).sort();

  const port = await new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
  const children = [];
  const start = (command, args, options) => {
    const child = spawn(command, args, options);
    children.push(child);
    return child;
  };
  start(
    'redis-server',
    [
      '--port',
      port,
      '--bind',
      '127.0.0.1',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--save',
      '',
      '--dir',
      folder,
    ],
    { stdio: 'ignore' },
  );
  const redis = `redis://127.0.0.1:${port}`;
  let queue;
  while (!queue)
    queue = await WorkQueue.open(redis, 'crane-native').catch(() => pause(50).then(() => undefined));
  const store = await openStore(out);
  let count = 0;
  /** The queue is filled while workers are stopped, so that filling it costs them nothing. */
  const submit = async (pictures, chunk, onAsk = () => {}) => {
    const lines = (async function* () {
      for (const uri of pictures) yield { uri };
    })();
    const settings = {
      model: values.model,
      choices: {},
      regions: false,
      maps: null,
      mapSize: 'picture',
      heatmaps: null,
      timings: true,
      again: String(count++),
    };
    const ask = { priority: 0, attempts: 1, backoffMs: 0 };
    const counting = {
      allow: (id) => queue.allow(id),
      ask: async (job) => {
        await onAsk(job.data);
        await queue.ask(job);
      },
    };
    return submitWork({
      pictures: lines,
      settings,
      title: 'fleet',
      store,
      queue: counting,
      chunk,
      ask,
      stop: new AbortController().signal,
    });
  };
  const untilEmpty = async () => {
    for (;;) {
      const { waiting, active, delayed, failed } = await queue.counts();
      if (failed) throw new Error(JSON.stringify((await queue.status()).dead));
      if (waiting + active + delayed === 0) return;
      await pause(5);
    }
  };
  const timed = async (workers, fill) => {
    for (const worker of workers) worker.kill('SIGSTOP');
    await fill();
    const began = performance.now();
    for (const worker of workers) worker.kill('SIGCONT');
    await untilEmpty();
    return (performance.now() - began) / 1000;
  };
  const all = names.map((name) => join(set, name));
  try {
    const alone = start(
      process.execPath,
      [fileURLToPath(import.meta.url), '--alone', set, '--model', values.model],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    alone.once('exit', (code) => code && process.exit(code));
    const told = () => new Promise((done) => alone.once('message', done));
    await told();
    const workers = [1, 2].map(() =>
      start(
        process.execPath,
        [
          join(root, 'dist/cli/main.js'),
          'worker',
          '--redis',
          redis,
          '--threads',
          '1',
          '--model',
          values.model,
        ],
        { stdio: 'ignore' },
      ),
    );
    await submit(all, chunk);
    await untilEmpty();

    const seconds = { alone: [], fleet: [] };
    for (let round = 0; round < rounds; round++) {
      const one = told();
      alone.send('go');
      seconds.alone.push(await one);
      seconds.fleet.push(await timed(workers, () => submit(all, chunk)));
    }
    // Chunks whose rows are all there already: what is left of a job is all but its scoring. The rows are made up here, as of a
    // worker of the rounds before.
    const [agreed] = readdirSync(join(out, 'pins'));
    const pins = JSON.parse(readFileSync(join(out, 'pins', agreed), 'utf8'));
    const { Redis } = await import('ioredis');
    const own = new Redis(redis);
    const rest = { anomalous: null, threshold: null, width: 4, height: 3 };
    const made = Array.from({ length: jobs * chunk }, (_, at) => `/nowhere/${at}.png`);
    workers[1].kill('SIGSTOP');
    const jobSeconds = await timed([workers[0]], () =>
      submit(made, chunk, async (data) => {
        await store.create(places.pins(data.settings), JSON.stringify(pins));
        const rows = Object.fromEntries(
          Array.from({ length: data.count }, (_, index) => [
            rowField(pins, index),
            JSON.stringify({ input: 'x', index, score: 0.5, ...rest, model: pins.model }),
          ]),
        );
        await own.hset(rowsKey('crane-native', data), rows);
      }),
    );
    workers[1].kill('SIGCONT');
    own.disconnect();
    const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
    const ratios = seconds.alone.map((each, round) => each / seconds.fleet[round]);
    const round = (value, digits) => Number(value.toFixed(digits));
    const result = {
      pictures,
      chunk,
      rounds,
      aloneRate: round(pictures / median(seconds.alone), 2),
      fleetRate: round(pictures / median(seconds.fleet), 2),
      share: round(median(ratios), 3),
      shares: ratios.map((each) => round(each, 3)),
      jobs,
      jobMs: round((1000 * jobSeconds) / jobs, 2),
    };
    console.log(`one process, 2 threads   ${result.aloneRate} pictures a second`);
    console.log(
      `two workers, 1 thread    ${result.fleetRate}, ${Math.round(100 * result.share)} % of that (median of ${rounds} rounds: ${result.shares.join(', ')})`,
    );
    console.log(`a job beside its scoring ${result.jobMs} ms`);
    console.log(JSON.stringify(result));
  } finally {
    for (const child of children) child.kill('SIGKILL');
    queue.close().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(0);
}
