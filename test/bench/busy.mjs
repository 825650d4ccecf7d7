// Shared processors: node test/bench/busy.mjs [--loops 0,1,2,4] [--quota 1.5] [--rounds 3] [--pictures 22] [--works score,train,serve] [--parallel parts,pictures]
// Work of crane-mini beside busy loops, and in a control group with less time than there are processors, each against the
// fair share: a loop is one thread of the scheduler's, so of P processors T threads beside K loops get P T / (T + K), at most T;
// a quota of Q gives Q. Both control groups of version 1 (cpu) and version 2 are tried, which takes a privileged user. Nothing else may
// run. Medians of the rounds; the last line is JSON.
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Agent } from 'node:http';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { childrenOf, post, startService, stopService } from './served.mjs';

const { values } = parseArgs({
  options: {
    loops: { type: 'string', default: '0,1,2,4' },
    quota: { type: 'string', default: '1.5' },
    rounds: { type: 'string', default: '3' },
    pictures: { type: 'string', default: '22' },
    works: { type: 'string', default: 'score,train,serve' },
    parallel: { type: 'string', default: 'parts' },
  },
});
const root = new URL('../../', import.meta.url).pathname;
const samples = join(root, 'models/crane-mini/samples');
const files = readdirSync(samples)
  .filter((name) => /\.(jpg|png)$/.test(name) && !name.includes('_mask'))
  .map((name) => join(samples, name));
const rounds = Number(values.rounds);
const pictures = Number(values.pictures);
const processors = availableParallelism();
const threads = processors;
const scratch = mkdtempSync(join(tmpdir(), 'crane-busy-'));

/** Busy loops, one thread each, that have begun. */
async function startLoops(count) {
  const loops = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'process.stdout.write("."); for (;;);'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  await Promise.all(loops.map((loop) => new Promise((begun) => loop.stdout.once('data', begun))));
  return () =>
    Promise.all(loops.map((loop) => new Promise((ended) => loop.once('exit', ended).kill('SIGKILL'))));
}

/** A control group of so many processors' time for these processes, or null with the reason said. */
function limit(quota, pids) {
  const period = 100_000;
  const old = `/sys/fs/cgroup/cpu/crane-busy-${process.pid}`;
  const unified = `/sys/fs/cgroup/crane-busy-${process.pid}`;
  try {
    if (existsSync('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') || existsSync('/sys/fs/cgroup/cpu')) {
      mkdirSync(old);
      writeFileSync(join(old, 'cpu.cfs_period_us'), String(period));
      writeFileSync(join(old, 'cpu.cfs_quota_us'), String(Math.round(quota * period)));
    } else {
      mkdirSync(unified);
      writeFileSync(join(unified, 'cpu.max'), `${Math.round(quota * period)} ${period}`);
    }
    const group = existsSync(old) ? old : unified;
    for (const pid of pids) writeFileSync(join(group, 'cgroup.procs'), String(pid));
    return () => {
      const above = join(group, '..', 'cgroup.procs');
      for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
        writeFileSync(above, pid);
      }
      rmdirSync(group);
    };
  } catch (error) {
    console.error(`no control group of our own: ${error.message}`);
    return null;
  }
}

/** A child that does `code` once for every line it is sent and answers each with a line. */
async function worker(code) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: root,
  });
  const answer = () => new Promise((done) => child.stdout.once('data', done));
  await answer();
  return {
    pids: [child.pid],
    run: async () => {
      child.stdin.write('\n');
      await answer();
    },
    end: async () => {
      child.stdin.end();
      await new Promise((ended) => child.once('exit', ended));
    },
  };
}

const eachLine = `
for await (const _ of process.stdin) { await work(); process.stdout.write('.'); }
await end();`;

const works = {
  score: (parallel) =>
    worker(`
import { loadEngine } from './dist/index.js';
const files = ${JSON.stringify(files)};
const engine = await loadEngine({ threads: ${threads}, parallel: '${parallel}' });
const end = () => engine.dispose();
async function work() {
  const list = Array.from({ length: ${pictures} }, (_, i) => files[i % files.length]);
  for await (const result of engine.scoreMany(list)) if (!('score' in result)) throw new Error(JSON.stringify(result));
}
await work();
process.stdout.write('.');${eachLine}`),
  train: () =>
    worker(`
import { execFileSync } from 'node:child_process';
const data = ${JSON.stringify(join(scratch, 'data'))};
const out = ${JSON.stringify(join(scratch, 'trained'))};
const end = () => {};
async function work() {
  execFileSync(process.execPath, ['dist/cli/main.js', 'train', data, '--out', out, '--force', '--epochs', '12', '--threads', '${threads}',
    '--cache', ${JSON.stringify(join(scratch, 'cache'))}], { stdio: 'ignore' });
}
await work();
process.stdout.write('.');${eachLine}`),
  serve: async (parallel) => {
    const service = await startService('--threads', String(threads), '--parallel', parallel);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const run = async () => {
      let left = pictures;
      const one = async () => {
        while (left-- > 0) {
          const { status } = await post(service.url, { agent });
          if (status !== 200) throw new Error(`the service answered ${status}`);
        }
      };
      await Promise.all(Array.from({ length: 8 }, one));
    };
    await run();
    return {
      pids: [service.child.pid, ...childrenOf(service.child.pid)],
      run,
      end: () => stopService(service),
    };
  },
};

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function timed(run) {
  const began = performance.now();
  await run();
  return (performance.now() - began) / 1000;
}

async function measure(name, parallel) {
  const work = await works[name](parallel);
  const seconds = new Map();
  const add = (key, value) => seconds.set(key, [...(seconds.get(key) ?? []), value]);
  for (let round = 0; round < rounds; round++) {
    for (const count of values.loops.split(',').map(Number)) {
      const stop = await startLoops(count);
      try {
        add(count, await timed(work.run));
        console.error(`${name} ${parallel}, ${count} loops: ${seconds.get(count).at(-1).toFixed(2)} s`);
      } finally {
        await stop();
      }
    }
    const release = limit(Number(values.quota), work.pids);
    if (release) {
      add('quota', await timed(work.run));
      release();
    }
  }
  await work.end();
  const alone = median(seconds.get(0));
  return [...seconds].map(([beside, list]) => {
    const own = beside === 'quota' ? Number(values.quota) : (processors * threads) / (threads + beside);
    const fair = alone * Math.max(1, threads / Math.min(threads, own));
    return { work: name, parallel, beside, seconds: median(list), fair, ratio: median(list) / fair };
  });
}

if (!values.loops.split(',').includes('0'))
  throw new Error('--loops needs 0, which the others are compared with');
try {
  if (values.works.includes('train')) prepareData();
  const rows = [];
  for (const name of values.works.split(',')) {
    for (const parallel of name === 'train' ? ['parts'] : values.parallel.split(','))
      rows.push(...(await measure(name, parallel)));
  }
  console.log('| work | parallel | beside | s | fair | of the fair time |\n|---|---|---|---|---|---|');
  for (const { work, parallel, beside, seconds, fair, ratio } of rows) {
    const what = beside === 'quota' ? `quota ${values.quota}` : `${beside} loops`;
    console.log(
      `| ${work} | ${parallel} | ${what} | ${seconds.toFixed(2)} | ${fair.toFixed(2)} | ${ratio.toFixed(2)} |`,
    );
  }
  console.log(JSON.stringify({ processors, threads, rounds, pictures, rows }));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The samples as a data set of one class. */
function prepareData() {
  const manifest = { train: {}, test: { part: [] } };
  mkdirSync(join(scratch, 'data'));
  for (const file of files) {
    const mask = file.replace(/\.\w+$/, '_mask.png');
    for (const one of [file, mask])
      if (existsSync(one)) copyFileSync(one, join(scratch, 'data', basename(one)));
    manifest.test.part.push({
      img_path: basename(file),
      mask_path: existsSync(mask) ? basename(mask) : '',
      cls_name: 'part',
      specie_name: existsSync(mask) ? 'bad' : 'good',
      anomaly: existsSync(mask) ? 1 : 0,
    });
  }
  writeFileSync(join(scratch, 'data', 'meta.json'), JSON.stringify(manifest));
}
