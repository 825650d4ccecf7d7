// Memory of several engines of one model in one process: node test/bench/engines.mjs [MODEL] [--engines 1,2,4] [--size N] [--no-start-cache]
// Each number of engines in a process of its own; every engine scores one picture, so that its weights are in memory. Printed: resident
// memory, the part of it that is the process's own (not mapped files), and the weights held once for all engines.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engines: { type: 'string', default: '1,2,4' },
    size: { type: 'string' },
    'no-start-cache': { type: 'boolean', default: false },
  },
});
const [model = 'crane-mini'] = positionals;
const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** @returns figures in MiB */
function memoryOf(count) {
  const options = { model, startCache: !values['no-start-cache'], size: values.size && Number(values.size) };
  const program = `
    import { readFileSync } from 'node:fs';
    import { loadEngine } from ${JSON.stringify(at('dist/index.js'))};
    import { loadAddon } from ${JSON.stringify(at('dist/addon/load-addon.js'))};
    const engines = [];
    for (let i = 0; i < ${count}; i++) {
      engines.push(await loadEngine(${JSON.stringify(options)}));
      await engines.at(-1).score(${JSON.stringify(at('models/crane-mini/samples/bsdata-pitting-p00.jpg'))});
    }
    const { addon } = await loadAddon();
    const { sharedWeights } = await addon.info();
    globalThis.gc?.();
    const status = readFileSync('/proc/self/status', 'utf8');
    const of = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+) kB').exec(status)[1]) / 1024;
    console.log(JSON.stringify({ resident: of('VmRSS'), own: of('RssAnon'),
      shared: sharedWeights.bytes / 2 ** 20, packed: engines.at(-1).facts.vision.packed }));
    for (const engine of engines) await engine.dispose();`;
  return JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], {
      encoding: 'utf8',
    }),
  );
}

console.log(
  '| engines | resident, MiB | its own | weights held | packed weights of the last one |\n|---|---|---|---|---|',
);
for (const count of values.engines.split(',').map(Number)) {
  const { resident, own, shared, packed } = memoryOf(count);
  console.log(`| ${count} | ${resident.toFixed(0)} | ${own.toFixed(0)} | ${shared.toFixed(0)} | ${packed} |`);
}
