// The parsers and threads under sanitizers, and their fuzzing: node scripts/fire.mjs WHAT (docs/reliability.md)
//   check                     parsers' tests under ASan and UBSan, the corpus through every target, threads under TSan, and that
//                             each of these finds the bug that is planted for it
//   fuzz TARGET [SECONDS]     libFuzzer on one target (300 s); with clang (CXX=clang++-14)
//   merge TARGET              adds to the corpus what that found and covers more
//   coverage [native|typescript]  lines of the parsers that their tests and the corpus run (gcov, V8); 95 % of either at least
//   asan [native] [addon]     the native tests under ASan, LSan and UBSan; the addon under ASan and UBSan, under Node: builds
//                             both whole, an hour
//   tidy [PART...]            clang-tidy over native/ and bindings/, or the files whose names hold a part
// Everything is built below build/fire. The last line of check is "N passed, M failed".
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { typescriptLines } from './fire-coverage.mjs';
import { addonUnderAsan, nativeTestsUnderAsan } from './fire-engine.mjs';
import { tidy } from './fire-tidy.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const fire = join(root, 'test', 'fire');
const corpus = join(fire, 'corpus');
const targets = readdirSync(join(fire, 'fuzz'))
  .filter((name) => name.endsWith('.cpp'))
  .map((name) => name.slice(0, -4));
let passed = 0;
let failed = 0;

function tell(what, isRight, output) {
  if (isRight) passed++;
  else failed++;
  console.log(isRight ? `passed: ${what}` : `failed: ${what}\n${output.slice(-6000)}`);
}

/** @returns exit code (or signal) and what was said */
function run(command, args, env = {}, cwd = root) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { CRANE_PARITY: join(root, 'test/parity/data'), ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    child.on('error', (error) => resolve({ code: String(error), output }));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/** @returns the folder of the programs */
async function build(name, definitions, programs) {
  const folder = join(root, 'build', 'fire', name);
  mkdirSync(folder, { recursive: true });
  const made = await run('cmake', ['-S', fire, '-B', folder, ...definitions.map((text) => `-D${text}`)]);
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(os.availableParallelism());
  const built =
    made.code === 0 ? await run('cmake', ['--build', folder, '-j', jobs, '--target', ...programs]) : made;
  if (built.code === 0) return folder;
  console.log(built.output.slice(-4000));
  process.exit(1);
}

const asan = {
  ASAN_OPTIONS: 'detect_leaks=1',
  LSAN_OPTIONS: `suppressions=${join(fire, 'leaks.supp')}:print_suppressions=0`,
};
const fuzzers = targets.map((target) => `fuzz_${target}`);

async function check() {
  const programs = ['crane_plain_tests', ...fuzzers];
  const folder = await build('asan', ['CRANE_SANITIZE=address,undefined'], programs);
  // Each process uses one processor.
  await Promise.all([parsersTests(folder), replays(folder).then(threads)]);
}

async function parsersTests(folder) {
  const scratch = mkdtempSync(join(os.tmpdir(), 'crane-fire-'));
  const halves = await Promise.all([0, 1].map((half) => halfOfParsersTests(folder, scratch, half)));
  const output = halves.map((half) => half.output).join('');
  const ran = halves.reduce((sum, half) => sum + half.ran, 0);
  console.log(/\d+ malformed files:.*/.exec(output)?.[0] ?? '');
  console.log(/\d+ pickles in .*/.exec(output)?.[0] ?? '');
  const isRight = halves.every(({ code }) => code === 0) && ran > 200;
  tell(`${ran} tests under address,undefined`, isRight, output);

  const python = await run('python3', [join(fire, 'hostile_pickles.py'), scratch]);
  const real = Number(/^(\d+) of \d+ ran/.exec(python.output)?.[1]);
  tell(`Python runs the pickles that are refused here: ${python.output.trim()}`, real >= 100, python.output);
  rmSync(scratch, { recursive: true });
}

async function halfOfParsersTests(folder, scratch, half) {
  const report = join(scratch, `tests ${half}.json`);
  const tests = await run(
    join(folder, 'crane_plain_tests'),
    ['--gtest_brief=1', `--gtest_output=json:${report}`],
    { ...asan, CRANE_FIRE_PICKLES: scratch, GTEST_TOTAL_SHARDS: '2', GTEST_SHARD_INDEX: String(half) },
  );
  // Whoever was ended by what was found wrote none.
  const { tests: ran } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { tests: 0 };
  return { ...tests, ran };
}

async function replays(folder) {
  for (const target of targets) {
    const replayed = await run(join(folder, `fuzz_${target}`), [join(corpus, target)], asan);
    tell(`corpus of ${target}: ${replayed.output.trim()}`, replayed.code === 0, replayed.output);
  }
  const finds = async (target, bug, found) => {
    const env = { ...asan, CRANE_FIRE_PLANT: bug };
    const { code, output } = await run(join(folder, `fuzz_${target}`), [join(corpus, target)], env);
    tell(`planted ${bug} in ${target} is found`, code !== 0 && output.includes(found), output);
  };
  await finds('safetensors', 'overread', 'heap-buffer-overflow');
  await finds('resize', 'overwrite', 'heap-buffer-overflow');
}

async function threads() {
  const program = join(
    await build('tsan', ['CRANE_SANITIZE=thread'], ['crane_thread_tests']),
    'crane_thread_tests',
  );
  const tsan = { TSAN_OPTIONS: 'halt_on_error=1' };
  // What lies where in memory is left to chance on some kernels beyond what the sanitizer can map.
  const met = await run('setarch', ['-R', program, '--gtest_brief=1'], tsan);
  tell('threads under thread', met.code === 0, met.output);
  const race = await run('setarch', ['-R', program, '--gtest_brief=1'], {
    ...tsan,
    CRANE_FIRE_PLANT: 'race',
  });
  tell('planted race is found', race.code !== 0 && race.output.includes('data race'), race.output);
}

const clang = `CMAKE_CXX_COMPILER=${process.env.CXX ?? 'clang++-14'}`;
const found = (target) => join(root, 'build', 'fire', 'found', target);

async function fuzz(target, seconds = '300') {
  const folder = await build('clang', [clang, 'CRANE_SANITIZE=address,undefined'], [`fuzz_${target}`]);
  mkdirSync(found(target), { recursive: true });
  const ran = await run(
    join(folder, `fuzz_${target}`),
    [
      ...[found(target), join(corpus, target), `-max_total_time=${seconds}`, '-max_len=8192', '-timeout=20'],
      ...['-rss_limit_mb=2048', '-print_final_stats=1', `-artifact_prefix=${found(target)}-crash-`],
    ],
    asan,
  );
  console.log(ran.output.split('\n').slice(-25).join('\n'));
  process.exit(ran.code === 0 ? 0 : 1);
}

async function merge(target) {
  const folder = await build('clang', [clang, 'CRANE_SANITIZE=address,undefined'], [`fuzz_${target}`]);
  const places = [join(corpus, target), found(target)];
  const ran = await run(join(folder, `fuzz_${target}`), ['-merge=1', '-max_len=4096', ...places], asan);
  console.log(ran.output.split('\n').slice(-4).join('\n'));
  process.exit(ran.code === 0 ? 0 : 1);
}

/** Of the parsers alone: what reads bytes that come from elsewhere. */
async function nativeLines() {
  const folder = await build('coverage', ['CRANE_COVERAGE=ON'], ['crane_plain_tests', ...fuzzers]);
  for (const path of readdirSync(folder, { recursive: true }))
    if (path.endsWith('.gcda')) rmSync(join(folder, path));
  const tests = await run(join(folder, 'crane_plain_tests'), ['--gtest_brief=1']);
  if (tests.code !== 0) console.log(tests.output.slice(-2000));
  for (const target of targets) await run(join(folder, `fuzz_${target}`), [join(corpus, target)]);
  const objects = readdirSync(folder, { recursive: true }).filter((path) =>
    /crane_plain\.dir.*native\/weights\/.*\.gcda$/.test(path),
  );
  const scratch = mkdtempSync(join(os.tmpdir(), 'crane-gcov-'));
  const { output } = await run(
    'gcov',
    ['-n', '-s', root, ...objects.map((path) => join(folder, path))],
    {},
    scratch,
  );
  rmSync(scratch, { recursive: true });
  const found = output.matchAll(
    /File '(?:.*\/)?(native\/weights\/[\w/]+\.cpp)'\nLines executed:([\d.]+)% of (\d+)/g,
  );
  const rows = [...found].map(([, file, share, count]) => ({
    file,
    count: Number(count),
    hit: Math.round((Number(share) * Number(count)) / 100),
  }));
  return { rows, hasPassed: tests.code === 0 };
}

/** Ends with 1 where less than 95 % of the lines of either are run. @param only native or typescript; both otherwise */
async function coverage(only) {
  const each = { native: nativeLines, typescript: typescriptLines };
  let isEnough = true;
  for (const [name, linesOf] of Object.entries(each)) {
    if (only !== undefined && only !== name) continue;
    const { rows, hasPassed } = await linesOf();
    const lines = rows.reduce((sum, { count }) => sum + count, 0);
    const hit = rows.reduce((sum, row) => sum + row.hit, 0);
    for (const { file, count, hit } of rows)
      console.log(
        `${((100 * hit) / count).toFixed(1).padStart(6)} % of ${String(count).padStart(4)} ${file}`,
      );
    const failed = hasPassed ? '' : '; a test failed';
    console.log(`parsers, ${name}: ${((100 * hit) / lines).toFixed(1)} % of ${lines} lines${failed}`);
    isEnough &&= hasPassed && lines > 0 && hit >= 0.95 * lines;
  }
  process.exit(isEnough ? 0 : 1);
}

async function ends(work) {
  await work();
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

const [what, ...rest] = process.argv.slice(2);
const works = {
  check: () => ends(check),
  fuzz,
  merge,
  coverage,
  asan: (...parts) =>
    ends(() => {
      const isWanted = (part) => parts.length === 0 || parts.includes(part);
      if (isWanted('native')) nativeTestsUnderAsan(tell);
      if (isWanted('addon')) addonUnderAsan(tell);
    }),
  tidy: (...parts) => ends(() => tidy(tell, parts)),
};
if (works[what] === undefined || ((what === 'fuzz' || what === 'merge') && !targets.includes(rest[0]))) {
  console.error(`node scripts/fire.mjs ${Object.keys(works).join('|')}; targets: ${targets.join(', ')}`);
  process.exit(2);
}
await works[what](...rest);
