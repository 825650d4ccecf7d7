// Whether anything is lost by doing the same thousands of times: node test/fire/leaks.mjs [WORK ...] [--times N] [--plant native|heap]
//   score (20,000), load (1,000), bank (1,000), step (1,000 of one training), train (250 of four steps), request (10,000)
// Bytes that shared libraries hold (native), that node's own code holds (node) and that JavaScript holds (heap), by
// allocations.cpp and probe.mjs, each with the slope in bytes a time and its interval of 95 %; files and threads that are open.
// With --plant 64 bytes are lost each time, which must be found. --samples FILE has every sample, --places FILE the places of
// shared libraries that hold more at the end (slow), with --of node those of node's own code. Needs npm run build:ts, the addon and a C++ compiler. A line of JSON for each; ends with 1 where something grows.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: 'string' },
    plant: { type: 'string' },
    samples: { type: 'string' },
    places: { type: 'string' },
    of: { type: 'string', default: 'native' },
    inside: { type: 'string' },
  },
});
/** Each is a collection of everything, several times. A step of a table that grows once is found by neither number. */
const samplesOf = (times) => Math.min(40, Math.ceil(times / 4));
/** What is compiled, compiled again and given up for it is no loss, and would be most of what is seen. */
const k_v8 = [
  '--expose-gc',
  '--no-opt',
  '--no-sparkplug',
  '--no-flush-bytecode',
  '--no-lazy-feedback-allocation',
];

/**
 * The median of the slopes between all pairs of points, and their quantiles that hold the true one with 95 % (Theil and Sen; Sen 1968,
 * section 3): a step, such as a table that grows once, moves it little.
 * @returns { slope, low, high } in units of y for each of x
 */
function slopeOf(points) {
  const slopes = points.flatMap(([x, y], i) => points.slice(i + 1).map(([u, v]) => (v - y) / (u - x)));
  slopes.sort((a, b) => a - b);
  const n = points.length;
  const spread = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (place) => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(place)))];
  const middle = (slopes.length - 1) / 2;
  return { slope: at(middle), low: at(middle - spread / 2), high: at(middle + spread / 2) };
}

/** Of native bytes, files and threads none may be lost; V8 takes for itself as it likes: a tenth of the planted bug is found. */
const k_least = 6.4;
const k_kinds = ['native', 'node', 'heap', 'files', 'threads'];

/** In the process under the shim. @returns whether nothing grows */
async function measure(name, times, folder) {
  const steps = samplesOf(times);
  const { works, losing, prepare } = await import('./leak-works.mjs');
  await prepare(folder);
  const work = await works[name](folder);
  const once = losing(name, work);
  let done = 0;
  const go = async (count) => {
    const end = done + count;
    const loop = async () => {
      while (done < end) await once(done++);
    };
    await Promise.all(Array.from({ length: work.isMany ?? 1 }, loop));
  };
  // What is kept once, caches and pools, is filled by then, and V8 has compiled what it will.
  await go(Math.ceil(times / 4));
  if (values.places) renameSync('/crane-fire/stacks', join(folder, 'before'));
  // What is noted must not be what grows.
  const names = Object.keys(await work.held());
  const at = new Float64Array(steps + 1);
  const noted = names.map(() => k_kinds.map(() => new Float64Array(steps + 1)));
  for (let sample = 0; sample <= steps; sample++) {
    if (sample > 0) await go(Math.ceil(times / steps));
    at[sample] = done;
    for (const [n, held] of Object.values(await work.held()).entries())
      for (const [k, kind] of k_kinds.entries()) noted[n][k][sample] = held[kind];
  }
  if (values.places) renameSync('/crane-fire/stacks', join(folder, 'after'));
  await work.end();
  const told = { work: name, times: done };
  const grows = [];
  const samples = {};
  for (const [n, each] of names.entries())
    for (const [k, kind] of k_kinds.entries()) {
      const label = `${each} ${kind}`.trim();
      samples[label] = [...noted[n][k]];
      const { slope, low, high } = slopeOf([...at].map((x, sample) => [x, noted[n][k][sample]]));
      told[label] = [slope, low, high].map((value) => Math.round(value * 100) / 100);
      if (low > (kind === 'heap' || kind === 'node' ? k_least : 0)) grows.push(label);
    }
  if (values.samples) writeFileSync(values.samples, JSON.stringify({ at: [...at], ...samples }));
  console.log(JSON.stringify({ ...told, grows }));
  return grows.length === 0;
}

/** Places that hold more after than before, by what they hold more. */
function grownPlaces(folder) {
  const read = (file) =>
    new Map(
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [bytes, count, ...stack] = line.split(' ');
          return [stack.join(' '), [Number(bytes), Number(count)]];
        }),
    );
  const before = read('before');
  return [...read('after')]
    .map(([stack, [bytes, count]]) => {
      const [bytesBefore, countBefore] = before.get(stack) ?? [0, 0];
      return { bytes: bytes - bytesBefore, count: count - countBefore, stack: stack.split(' ') };
    })
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
}

if (values.inside) {
  process.exitCode = (await measure(positionals[0], Number(values.times), values.inside)) ? 0 : 1;
} else {
  const { times } = await import('./leak-works.mjs');
  const scratch = mkdtempSync(join(tmpdir(), 'crane-leaks-'));
  const library = join(scratch, 'allocations.so');
  const flags = ['-std=c++20', '-O1', '-shared', '-fPIC', '-fno-builtin-malloc'];
  execFileSync(process.env.CXX ?? 'c++', [...flags, join(here, 'allocations.cpp'), '-o', library, '-ldl']);
  for (const work of positionals.length > 0 ? positionals : Object.keys(times)) {
    const folder = join(scratch, work);
    mkdirSync(folder);
    const args = [fileURLToPath(import.meta.url), work, '--times', values.times ?? String(times[work])];
    const files = ['samples', 'places'].flatMap((name) => (values[name] ? [`--${name}`, values[name]] : []));
    const { status } = spawnSync(process.execPath, [...k_v8, ...args, '--inside', folder, ...files], {
      stdio: 'inherit',
      env: {
        ...process.env,
        LD_PRELOAD: library,
        CRANE_FIRE_FOLDER: folder,
        ...(values.plant ? { CRANE_FIRE_PLANT: values.plant } : {}),
        ...(values.places ? { CRANE_FIRE_STACKS: values.of } : {}),
      },
    });
    if (status !== 0) process.exitCode = 1;
    if (values.places) writeFileSync(values.places, JSON.stringify(grownPlaces(folder), null, 1));
  }
  rmSync(scratch, { recursive: true });
}
