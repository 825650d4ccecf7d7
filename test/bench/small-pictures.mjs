// What a small picture costs besides the forward pass: node test/bench/small-pictures.mjs [--pictures 2000] [--size 28] [--rounds 3]
// JPEGs of 64 to 256 pixels a side through `score` with crane-mini at a small input, so that decoding, hashing and writing count; printed
// are wall and processor time for a picture of whole processes, each way of writing beside the other, and what decoding, hashing and
// writing take alone in one thread. Medians of the rounds, interleaved; the last line is JSON.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string', default: '2000' },
    size: { type: 'string', default: '28' },
    rounds: { type: 'string', default: '3' },
    profile: { type: 'string' },
  },
});
const count = Number(values.pictures);
const root = new URL('../../', import.meta.url).pathname;

/** Pictures of one sample, cut in many sizes: real content, so that decoding costs what it costs. */
async function makePictures() {
  mkdirSync(folder);
  const sample = join(root, 'models/crane-mini/samples');
  const { data, info } = await sharp(join(sample, 'bsdata-pitting-p00.jpg'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const side = (i) => 64 + ((i * 37) % 193);
  const files = [];
  for (let i = 0; i < count; i++) {
    const width = Math.min(side(i), info.width);
    const height = Math.min(side(i + 5), info.height);
    const left = (i * 13) % (info.width - width + 1);
    const top = (i * 7) % (info.height - height + 1);
    const file = join(folder, `${String(i).padStart(5, '0')}.jpg`);
    await sharp(data, { raw: info }).extract({ left, top, width, height }).jpeg({ quality: 90 }).toFile(file);
    files.push(file);
  }
  return files;
}

/** A whole process that scores all pictures. @returns milliseconds for a picture: wall time, and processor time of all threads */
function run(args, ofNode = []) {
  const told = 'process.on("exit", () => console.error("used", JSON.stringify(process.cpuUsage())))';
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(
      process.execPath,
      [
        ...ofNode,
        `--import=data:text/javascript,${encodeURIComponent(told)}`,
        join(root, 'dist/cli/main.js'),
        'score',
        folder,
        '--size',
        values.size,
        ...args,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('exit', (code) => {
      const used = /used (.*)/.exec(said);
      if (code !== 0 || !used) return reject(new Error(said));
      const { user, system } = JSON.parse(used[1]);
      resolve({ wall: (performance.now() - began) / count, cpu: (user + system) / 1000 / count });
    });
  });
}

/** Milliseconds of one thread for each picture. */
async function alone(work) {
  const began = performance.now();
  for (const file of files) await work(file);
  return (performance.now() - began) / count;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const scratch = mkdtempSync(join(tmpdir(), 'crane-small-'));
const folder = join(scratch, 'pictures');
const files = await makePictures();
sharp.concurrency(1);

const out = (at) => ['--out', join(scratch, `out${at}`)];
const ways = {
  'rows to a file': out,
  'with maps': (at) => [...out(at), '--maps', 'npy'],
  'with heat maps': (at) => [...out(at), '--heatmaps'],
};
const parts = {
  read: async (file) => void (await readFile(file)),
  'read, SHA-256': async (file) =>
    void createHash('sha256')
      .update(await readFile(file))
      .digest(),
  'read, decode by the library': async (file) => void (await sharp(file).raw().toBuffer()),
};
const names = [...Object.keys(ways), ...Object.keys(parts)];
const found = Object.fromEntries(names.map((name) => [name, []]));
if (values.profile)
  await run(ways['rows to a file']('p'), ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]);
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [at, [name, args]] of Object.entries(ways).entries())
    found[name].push(await run(args(`${round}-${at}`)));
  for (const [name, work] of Object.entries(parts)) found[name].push({ wall: await alone(work), cpu: null });
}
console.log(
  `${count} pictures, --size ${values.size}; ms a picture, medians of ${values.rounds}\n\n| | wall | processor |\n|---|---|---|`,
);
const figures = names.map((name) => [
  name,
  {
    wall: median(found[name].map(({ wall }) => wall)),
    cpu: name in ways ? median(found[name].map(({ cpu }) => cpu)) : null,
  },
]);
for (const [name, { wall, cpu }] of figures)
  console.log(`| ${name} | ${wall.toFixed(3)} | ${cpu === null ? '' : cpu.toFixed(3)} |`);
console.log(JSON.stringify(Object.fromEntries(figures)));
rmSync(scratch, { recursive: true, force: true });
