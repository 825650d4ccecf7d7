// A million rows through manifest, shards, merge and Parquet: node test/bench/million-rows.mjs [--rows 1000000] [--shards 8]
// The scores are made up here, so that nothing but tables is measured. Each step runs in a process of its own, whose seconds and
// largest memory are printed. Needs npm run build:ts. The last line is JSON.
import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    shards: { type: 'string', default: '8' },
    step: { type: 'string' },
    folder: { type: 'string' },
  },
});
const [rows, shards] = [Number(values.rows), Number(values.shards)];
const dist = new URL('../../dist/', import.meta.url);
const at = (name) => join(values.folder, name);

async function put(stream, text) {
  if (!stream.write(text)) await new Promise((done) => stream.once('drain', done));
}
const ended = (stream) => new Promise((done) => stream.end(done));

const steps = {
  /** the manifest, as somebody else would write it */
  async manifest() {
    const stream = createWriteStream(at('work.jsonl'));
    for (let index = 0; index < rows; index++)
      await put(stream, `{"uri":"/line/${index % 97}/part-${index}.png","id":"part-${index}"}\n`);
    await ended(stream);
  },
  /** what workers would have left: results of each shard with its record */
  async shards() {
    const { readManifest } = await import(new URL('sources/manifest.js', dist));
    const { Listing, shardOf } = await import(new URL('scoring/shards.js', dist));
    const { writeShardRecord } = await import(new URL('work/shard-record.js', dist));
    const paths = Array.from({ length: shards }, (_, each) => at(`results.${each + 1}-of-${shards}.jsonl`));
    const streams = paths.map((path) => createWriteStream(path));
    const listing = new Listing();
    let index = 0;
    for await (const { id } of readManifest(at('work.jsonl'))) {
      listing.add(id);
      const score = ((index * 2654435761) % 2 ** 32) / 2 ** 32;
      const regions =
        score > 0.9 ? [{ x: 1, y: 2, width: 30, height: 40, area: 900, peak: score, mean: 0.5 }] : [];
      const row = {
        input: id,
        index,
        score,
        anomalous: score > 0.9,
        threshold: 0.9,
        width: 1024,
        height: 768,
        regions,
        model: 'made-up@0',
      };
      await put(streams[shardOf(id, shards) - 1], `${JSON.stringify(row)}\n`);
      index++;
    }
    await Promise.all(streams.map(ended));
    const inputs = listing.close();
    const machine = {
      cpu: 'none',
      isa: 'none',
      precision: 'float32',
      kernels: 'none',
      device: 'cpu',
      threads: 1,
      libtorch: 'none',
    };
    for (const [each, results] of paths.entries()) {
      const settings = { threshold: 0.9, mapThreshold: 0.9, regions: true, maps: null, heatmaps: null };
      await writeShardRecord({
        results,
        shard: { index: each + 1, count: shards },
        inputs,
        model: 'made-up@0',
        rows: settings,
        machine,
        craneNative: '0',
      });
    }
  },
  async merge() {
    const main = new URL('cli/main.js', dist);
    process.argv = [process.argv[0], main.pathname, 'merge', values.folder, '--out', at('all.parquet')];
    await import(main);
  },
};

if (values.step) await steps[values.step]();
else {
  const folder = mkdtempSync(join(tmpdir(), 'crane-million-'));
  const told = { rows, shards, steps: {} };
  try {
    for (const step of Object.keys(steps)) {
      const began = performance.now();
      const args = ['--rows', values.rows, '--shards', values.shards, '--folder', folder, '--step', step];
      const report = join(folder, 'peak');
      execFileSync(
        process.execPath,
        [
          '--import',
          `data:text/javascript,${encodeURIComponent(peak(report))}`,
          new URL(import.meta.url).pathname,
          ...args,
        ],
        { stdio: 'inherit' },
      );
      const { default: megabytes } = await import(`file://${report}.mjs?${step}`);
      told.steps[step] = {
        seconds: Math.round((performance.now() - began) / 100) / 10,
        peakMegabytes: megabytes,
      };
      console.log(`${step.padEnd(9)} ${told.steps[step].seconds} s, at most ${megabytes} MB`);
    }
    told.parquetMegabytes = Math.round(statSync(join(folder, 'all.parquet')).size / 1e5) / 10;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(JSON.stringify(told));
}

/** Leaves the largest resident memory of a process behind, in MB. */
function peak(report) {
  return `import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(${JSON.stringify(`${report}.mjs`)}, 'export default ' + Math.round(process.resourceUsage().maxRSS / 1000)));`;
}
