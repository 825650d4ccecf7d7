// Times the start of an engine, with and without what earlier starts kept, interleaved, each in a process of its own:
//   node test/bench/start.mjs MODEL [--runs 5] [--threads N]
// MODEL: a name or folder, for instance one that `weights synth crane` made. Printed are medians: the whole process up
// to an engine that can score (Node's own start and loading libtorch included), and loadEngine alone.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '5' }, threads: { type: 'string', default: '0' } },
});
const [model = 'crane-mini'] = positionals;
const index = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

/** One start. @returns seconds */
function start(startCache) {
  const program = `
    import { loadEngine } from ${JSON.stringify(index)};
    const began = performance.now();
    const engine = await loadEngine(${JSON.stringify({ model, threads: Number(values.threads), startCache })});
    const opened = performance.now();
    console.log(JSON.stringify({ load: (opened - began) / 1000, process: opened / 1000,
      residentMB: process.memoryUsage.rss() / 2 ** 20, packed: engine.facts.vision.packed }));
    await engine.dispose();`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }),
  );
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const first = start(true); // keeps what the others find, and fills the page cache
const runs = Array.from({ length: Number(values.runs) }, () => ({ kept: start(true), anew: start(false) }));
console.log(`${model}: first start of this run ${first.load.toFixed(2)} s (packed weights ${first.packed})`);
for (const [name, pick] of [
  ['with the start cache', ({ kept }) => kept],
  ['without', ({ anew }) => anew],
]) {
  const of = (figure) => median(runs.map((run) => pick(run)[figure]));
  console.log(
    `${name.padEnd(21)} loadEngine ${of('load').toFixed(2)} s, whole process ${of('process').toFixed(2)} s, ` +
      `${of('residentMB').toFixed(0)} MB resident (${pick(runs[0]).packed})`,
  );
}
