// Every set tested with prompts that were learned on the others, from several starts, by the product's own commands:
//   node scripts/mini/leave-one-out.mjs [--data ../shared/data] [--starts 3] [--never-learned breast_us]
//                                       [--out leave-one-out.json]
// --never-learned: sets that are only tested (their pictures may not go into anything that is passed on).
// Prints a table in Markdown: pixel AUROC / pixel AP / AUPRO to 0.3 / image AUROC, in %, mean and range over starts.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const k_firstSeed = 111;

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data' },
    starts: { type: 'string', default: '3' },
    'never-learned': { type: 'string', default: 'breast_us' },
    out: { type: 'string' },
  },
});
const neverLearned = new Set(values['never-learned'].split(','));
const sets = readdirSync(values.data)
  .filter((name) => statSync(join(values.data, name)).isDirectory())
  .sort();
const scratch = mkdtempSync(join(tmpdir(), 'crane-leave-one-out-'));

/** @type {{ tested: string, learnedOn: string[], seed: number, figures: number[] }[]} */
const results = [];
try {
  for (let start = 0; start < Number(values.starts); start++) {
    const seed = k_firstSeed + start;
    for (const tested of sets) {
      const learnedOn = sets.filter((name) => name !== tested && !neverLearned.has(name));
      const prompts = join(scratch, `prompts-${seed}-${tested}`);
      const run = join(scratch, `test-${seed}-${tested}`);
      const paths = learnedOn.map((name) => join(values.data, name));
      await craneNative('train', ...paths, '--seed', seed, '--out', prompts);
      await craneNative(
        'test',
        join(values.data, tested),
        '--prompts',
        join(prompts, 'prompts.safetensors'),
        '--out',
        run,
        '--bootstrap',
        0,
      );
      results.push({ tested, learnedOn, seed, figures: figuresOf(run) });
      console.error(`${tested}, seed ${seed}: ${results.at(-1).figures.map(percent).join(' / ')}`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

console.log('| tested | learned on | mean | range |\n|---|---|---|---|');
const means = sets.map((tested) => {
  const of = results.filter((result) => result.tested === tested);
  const columns = of[0].figures.map((_, at) => of.map(({ figures }) => figures[at]));
  const mean = columns.map(average);
  const range = columns.map((column) => `${percent(Math.min(...column))}-${percent(Math.max(...column))}`);
  console.log(
    `| ${tested} | ${of[0].learnedOn.join(', ')} | ${mean.map(percent).join(' / ')} | ${range.join(' / ')} |`,
  );
  return mean;
});
const all = means[0].map((_, at) => average(means.map((mean) => mean[at])));
console.log(`| mean of ${sets.length} | | **${all.map(percent).join(' / ')}** | |`);
if (values.out) writeFileSync(values.out, `${JSON.stringify(results, null, 1)}\n`);

/** The means over classes of the one tested set. */
function figuresOf(run) {
  const { image, pixel } = JSON.parse(readFileSync(join(run, 'results.json'), 'utf8')).dataSets[0].mean
    .leftOut;
  const pro = pixel.aupro.find(({ limit }) => limit === 0.3).exact;
  return [pixel.auroc, pixel.ap, pro, image.auroc].map(({ value }) => value);
}

function craneNative(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args.map(String)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${args[0]} ended with ${code}`)),
    );
  });
}

function average(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function percent(share) {
  return (100 * share).toFixed(1);
}
