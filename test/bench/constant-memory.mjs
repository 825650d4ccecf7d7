// Scores many pictures with `crane-native score` and follows the memory of the process: it must not grow.
// node test/bench/constant-memory.mjs [--count 10000] [--size 56] [--threads 2] [--batch auto] [--model crane-mini] [--maps]
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    size: { type: 'string', default: '56' },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: 'auto' },
    model: { type: 'string', default: 'crane-mini' },
    maps: { type: 'boolean', default: false },
  },
});
const count = Number(values.count);

const scratch = await mkdtemp(join(tmpdir(), 'crane-memory-'));
try {
  const list = await makeList();
  const rss = await follow(list);
  report(rss);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Real pictures over and over, every 10th of 2 and every 50th of 12 megapixels. */
async function makeList() {
  const small = [
    ...(await picturesIn(join(root, 'models', 'crane-mini', 'samples'))),
    ...(await picturesIn(join(root, 'test', 'data'))),
  ];
  await mkdir(join(scratch, 'made'));
  const made = [];
  for (const [at, [width, height, ending]] of [
    [1600, 1200, 'png'],
    [4000, 3000, 'jpg'],
  ].entries()) {
    const path = join(scratch, 'made', `${width}x${height}.${ending}`);
    await sharp(small[at]).resize(width, height, { fit: 'fill' }).toFile(path);
    made.push(path);
  }
  const lines = Array.from({ length: count }, (_, at) =>
    at % 50 === 49 ? made[1] : at % 10 === 9 ? made[0] : small[at % small.length],
  );
  const path = join(scratch, 'list.txt');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

async function picturesIn(folder) {
  const entries = await readdir(folder, { recursive: true });
  return entries
    .filter((name) => /\.(jpg|png)$/.test(name) && !/mask|ground_truth/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Kilobytes resident after each hundred results, and the most there ever were. */
async function follow(list) {
  const args = ['score', `@${list}`, '--out', join(scratch, 'out'), '--format', 'jsonl'];
  args.push('--model', values.model, '--threads', values.threads, '--batch', values.batch);
  if (values.size !== 'model') args.push('--size', values.size);
  if (values.maps) args.push('--maps', 'npy', '--heatmaps');
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const samples = new Map();
  let results = 0;
  let failed = 0;
  let peak = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    results++;
    if ('error' in JSON.parse(line)) failed++;
    if (results % 100 !== 0) continue;
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    const now = kilobytes(status, 'VmRSS');
    if (now === undefined) continue;
    samples.set(results, now);
    peak = kilobytes(status, 'VmHWM') ?? peak;
    if ([500, 1000, 2500, 5000, 7500, 10000].includes(results) || results === count)
      console.log(`after ${results} pictures: ${(now / 1024).toFixed(0)} MB resident`);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`score ended with ${code}`);
  return { samples, peak, results, failed, seconds: (performance.now() - began) / 1000 };
}

function kilobytes(status, name) {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status);
  return found ? Number(found[1]) : undefined;
}

function report({ samples, peak, results, failed, seconds }) {
  const late = [...samples].filter(([at]) => at >= count / 2);
  const meanAt = late.reduce((sum, [at]) => sum + at, 0) / late.length;
  const meanKb = late.reduce((sum, [, kb]) => sum + kb, 0) / late.length;
  const slope =
    late.reduce((sum, [at, kb]) => sum + (at - meanAt) * (kb - meanKb), 0) /
    late.reduce((sum, [at]) => sum + (at - meanAt) ** 2, 0);
  console.log(
    `${results} results (${failed} failed) in ${seconds.toFixed(0)} s, peak ${(peak / 1024).toFixed(0)} MB`,
  );
  console.log(`slope of the second half: ${(slope * 1024).toFixed(0)} bytes a picture`);
  // The first thousand pictures fill caches and the allocator's arenas: a shorter run says little.
  if (count >= 4000 && slope * (count / 2) > 0.05 * meanKb) {
    console.log('the memory grows');
    process.exitCode = 1;
  }
}
