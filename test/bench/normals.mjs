// Times the search of a bank of normal pictures: crane-mini's forward pass, the same against a bank of some 40,000 rows, and faiss's
// exact search of as many rows, one after the other in each round:
//   node test/bench/normals.mjs [--rows 40000] [--rounds 7] [--threads 0] [--python PATH] [--json]
// --python: an interpreter that has faiss-cpu and numpy: python3 -m venv bench && bench/bin/pip install faiss-cpu numpy
// Without it, and where faiss is absent, that is said and the rest is measured.
// Our search is the difference of two passes of the same picture: against the bank, and against a bank of one row a patch.
// Nothing here is a test: figures depend on the machine and on what else runs on it.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { openEngine } from '../../dist/engine/load-engine.js';
import { findModel } from '../../dist/models/find-model.js';

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '40000' },
    rounds: { type: 'string', default: '7' },
    threads: { type: 'string', default: '0' },
    python: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(args.rounds);
const say = (line) => (args.json ? console.error(line) : console.log(line));
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return (sorted[Math.floor(at)] + sorted[Math.ceil(at)]) / 2;
};

/** faiss in a process of its own, asked for one search at a time; undefined where there is none, and why is said. */
async function openFaiss(setup) {
  if (args.python === undefined) {
    say('faiss: not measured, no --python');
    return undefined;
  }
  const script = fileURLToPath(new URL('./normals_peer.py', import.meta.url));
  const child = spawn(args.python, [script, JSON.stringify(setup)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = new Promise((resolve) => child.on('error', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const next = await Promise.race([
      lines.next(),
      failed.then((error) => ({ done: true, value: error.message })),
    ]);
    return next.done ? { fault: next.value ?? 'it ended' } : JSON.parse(next.value);
  };
  const ready = await answer();
  if (ready.fault !== undefined) {
    say(`faiss: not measured: ${ready.fault}`);
    child.kill();
    return undefined;
  }
  return {
    version: ready.version,
    search: () => {
      child.stdin.write('search\n');
      return answer();
    },
    close: () => child.stdin.end(),
  };
}

const { addon } = await loadAddon();
const model = await findModel('crane-mini');
const engine = await openEngine(addon, model, { threads: Number(args.threads) });
const samples = fileURLToPath(new URL('../../models/crane-mini/samples/', import.meta.url));
const pictures = readdirSync(samples)
  .filter((name) => name.endsWith('.jpg'))
  .map((name) => join(samples, name));

const { width, height } = engine.facts.input;
const patches = Math.floor(width / engine.facts.patch) * Math.floor(height / engine.facts.patch);
const turns = 8;
const count = Math.max(1, Math.round(Number(args.rows) / (patches * turns)));
if (count > pictures.length)
  throw new Error(`there are ${pictures.length} sample pictures, ${count} would be needed`);
const large = await engine.learnNormals(pictures.slice(0, count), { turns, mirror: false });
const small = await engine.learnNormals(pictures.slice(0, 1), { turns: 1, mirror: false });
const rows = { large: count * turns * patches, small: patches };
const depth = engine.facts.vision.width;
const faiss = await openFaiss({
  rows: rows.large - rows.small,
  queries: patches,
  depth,
  threads: engine.facts.threads,
});

const picture = pictures.at(-1);
const timed = async (work) => {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
};
const parties = {
  peak: async () => (await addon.timePeaks()).find(({ format }) => format === 'float32'),
  plain: () => timed(() => engine.score(picture)),
  small: () => timed(() => engine.score(picture, { normals: small })),
  large: () => timed(() => engine.score(picture, { normals: large })),
  ...(faiss ? { faiss: faiss.search } : {}),
};
const names = Object.keys(parties);
const samplesOf = Object.fromEntries(names.map((name) => [name, []]));
for (let round = -1; round < rounds; round++) {
  for (let at = 0; at < names.length; at++) {
    const name = names[(at + Math.max(0, round)) % names.length];
    const sample = await parties[name]();
    if (round >= 0) samplesOf[name].push(sample);
  }
}
faiss?.close();
await engine.dispose();

const peak = median(samplesOf.peak.map(({ operations, seconds }) => operations / seconds / 1e9));
const of = (name, time = 'seconds') => samplesOf[name].map((sample) => sample[time]);
const differences = (time) => of('large', time).map((value, round) => value - of('small', time)[round]);
const gflop = 2e-9 * patches * (rows.large - rows.small) * depth;
const search = median(differences('seconds'));
const report = {
  machine: { cpu: cpus()[0]?.model.trim(), processors: availableParallelism(), load: loadavg()[0] },
  threads: engine.facts.threads,
  rows: rows.large,
  depth,
  patches,
  peakGflops: peak,
  forwardSeconds: median(of('plain')),
  withBankSeconds: median(of('large')),
  searchSeconds: search,
  searchCpuSeconds: median(differences('cpuSeconds')),
  // at 0 and below the noise of the passes is larger than the search
  searchShareOfPeak: search > 0 ? gflop / search / peak : null,
  faiss: faiss
    ? {
        version: faiss.version,
        seconds: median(of('faiss')),
        shareOfPeak: gflop / median(of('faiss')) / peak,
        ratio: median(differences('seconds').map((own, round) => own / of('faiss')[round])),
      }
    : null,
  samples: samplesOf,
};
if (args.json) console.log(JSON.stringify(report));
else {
  const ms = (seconds) => `${(1000 * seconds).toFixed(1)} ms`;
  const percent = (share) =>
    share === null
      ? 'lost in the noise of the passes: measure on a quiet machine'
      : `${(100 * share).toFixed(0)} % of the peak`;
  console.log(
    `${report.machine.cpu}, ${report.threads} threads, peak ${peak.toFixed(0)} GFLOP/s, load ${report.machine.load.toFixed(1)} at the end`,
  );
  console.log(
    `crane-mini's picture with its prompts ${ms(report.forwardSeconds)}, against ${rows.large} rows ${ms(report.withBankSeconds)}`,
  );
  console.log(
    `search of ${rows.large - rows.small} x ${depth} by ${patches} patches: ${ms(search)}, ${percent(report.searchShareOfPeak)}`,
  );
  if (report.faiss) {
    const { version, seconds, shareOfPeak, ratio } = report.faiss;
    console.log(
      `faiss ${version}, IndexFlatIP, as many rows: ${ms(seconds)}, ${percent(shareOfPeak)}; ours/its ${ratio.toFixed(2)}`,
    );
  }
}
