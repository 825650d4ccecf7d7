// Runs suites and adds up: node scripts/test.mjs [--all | native|unit|browser|parity|methods|data|fire|package|arm64|cuda ...]
// npm test runs those that try the tree as it is built; npm test -- --all also those that build it in other ways:
// fire (sanitizers, and what is killed and damaged), package, arm64, cuda. The kernels of a GPU are compiled where nvcc is
// found (CUDACXX or PATH), pages are tried where Chromium is (CHROMIUM_PATH or /usr/bin).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { findChromium } from './find-chromium.mjs';
import { toldBy } from './vitest-report.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'crane-test-'));

/** Runs a program with its output shown; resolves with exit code and output. */
function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { CRANE_PARITY: join(root, 'test/parity/data'), ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.on('error', (error) => resolve({ code: 1, output: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Works that leave a processor idle, two at a time. @returns their results in their order */
async function twoAtATime(works) {
  const results = Array(works.length);
  let next = 0;
  const lane = async () => {
    while (next < works.length) {
      const at = next++;
      results[at] = await works[at]();
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}

let product;
/** Compiles src/ once, whatever suites need it. */
function buildProduct() {
  product ??= run('npm', ['run', '--silent', 'build:ts']);
  return product;
}

/** A program of tests in TypeScript, compiled once: with no arguments it tests, with --self-check it shows that it can fail. */
async function compared(folder, ...runs) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const built = await buildProduct();
  const compiled =
    built.code === 0 ? await run(process.execPath, [tsc, '-p', `test/${folder}/tsconfig.json`]) : built;
  if (compiled.code !== 0) return { passed: 0, failed: 1 };
  const total = { passed: 0, failed: 0 };
  for (const args of runs) {
    const { passed, failed } = countedLine(
      await run(process.execPath, [`build/parity/test/${folder}/main.js`, ...args]),
    );
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

/** Said again at the end, where a long log is looked at first. */
const failures = [];

/** Tests that could not run here, because what they need is not on the machine: said, and in no sum. */
const skipped = [];

/** A suite that ended badly without counting a failure counts as one. */
function settled({ passed, failed }, code) {
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed };
}

/** The last line of the form "N passed, N failed". */
function countedLine(result) {
  const lines = [...result.output.matchAll(/^(\d+) passed, (\d+) failed\s*$/gm)];
  const last = lines.at(-1);
  failures.push(
    ...result.output.split('\n').filter((line) => /^(?:failed|fault): | {2}FAIL {2}|NOT NOTICED/.test(line)),
  );
  return last
    ? settled({ passed: Number(last[1]), failed: Number(last[2]) }, result.code)
    : { passed: 0, failed: 1 };
}

/** Runs vitest, which tells its counts in a file. */
async function vitest(name, ...args) {
  const report = join(scratch, `${name}.json`);
  const { code } = await run('npx', [
    'vitest',
    'run',
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const told = toldBy(JSON.parse(readFileSync(report, 'utf8')));
  failures.push(...told.failures.map((failure) => `${name}: ${failure}`));
  skipped.push(...told.skipped.map((test) => `${name}: ${test}`));
  return settled(told, code);
}

/**
 * Runs a program of GoogleTest, which tells its counts in a file; `through` is what runs it, if not the machine,
 * on which processor, which tests, and which half of them.
 */
async function googletest(name, path, through) {
  const report = join(scratch, `${name}.json`);
  const args = ['--gtest_brief=1', `--gtest_output=json:${report}`];
  const { code } = await (through
    ? run(through.emulator, ['-cpu', through.cpu, path, ...args, `--gtest_filter=${through.tests}`], {
        GTEST_TOTAL_SHARDS: '2',
        GTEST_SHARD_INDEX: String(through.half),
      })
    : run(path, args));
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { tests, failures: failed, testsuites } = JSON.parse(readFileSync(report, 'utf8'));
  const cases = testsuites.flatMap(({ testsuite }) => testsuite);
  const passedOver = cases.filter(({ result }) => result === 'SKIPPED');
  for (const { classname, name: test, failures: told } of cases) {
    if (told) failures.push(`${name}: ${classname}.${test}\n${told.map((f) => f.failure).join('\n')}`);
  }
  for (const { classname, name: test } of passedOver) skipped.push(`${name}: ${classname}.${test}`);
  return settled({ passed: tests - failed - passedOver.length, failed }, code);
}

const suites = {
  async native() {
    const built = await run(process.execPath, ['dist/cli/main.js', 'build', '--tests']);
    if (built.code !== 0) return { passed: 0, failed: 1 };
    const total = { passed: 0, failed: 0 };
    const record = JSON.parse(readFileSync(join(root, 'build', 'Release', 'crane_engine.json'), 'utf8'));
    // A build with CUDA has the kernels themselves: crane_gpu_check runs them (scripts/gpu.sh).
    const emulated = record.cuda ? [] : ['crane_cuda_tests'];
    const works = ['crane_torch_tests', 'crane_plain_tests', ...emulated].map((program) => () => {
      const path = [join(root, 'build', 'Release', program), join(root, 'build', program)].find(existsSync);
      return googletest(program, path ?? program);
    });
    for (const { passed, failed } of await twoAtATime(works)) {
      total.passed += passed;
      total.failed += failed;
    }
    return total;
  },

  async unit() {
    return vitest('unit', '--project', 'shared', '--project', 'alone');
  },

  /** Pages in headless Chromium. */
  async browser() {
    return vitest('browser', '--config', 'test/browser/vitest.config.ts');
  },

  parity: () => compared('parity', [], ['--self-check']),

  /** The compared systems against values of their authors' code. */
  methods: () => compared('methods', [], ['--self-check']),

  data: () => compared('data', []),

  /**
   * Hostile files, killed processes, calls that fail, leaks; the parsers and threads under sanitizers, the corpus, and the
   * bugs that are planted for them to find.
   */
  async fire() {
    const tried = await vitest('fire', '--project', 'fire');
    const checked = countedLine(await run(process.execPath, ['scripts/fire.mjs', 'check']));
    return { passed: tried.passed + checked.passed, failed: tried.failed + checked.failed };
  },

  /** The packed packages, installed where nothing but Node is found, and under adverse conditions. */
  async package() {
    const tarball = ({ output }) => join(scratch, output.trim().split('\n').at(-1) ?? '');
    const whole = await run('npm', ['pack', '--silent', '--pack-destination', scratch]);
    mkdirSync(join(scratch, 'again'));
    const again = await run('npm', ['pack', '--silent', '--pack-destination', join(scratch, 'again')]);
    const isSame = readFileSync(tarball(whole)).equals(
      readFileSync(join(scratch, 'again', basename(tarball(again)))),
    );
    if (!isSame) failures.push('two packs of one tree differ');
    const engine = await run(process.execPath, ['scripts/pack-engine.mjs', scratch]);
    const { libtorchRoot } = JSON.parse(
      readFileSync(join(root, 'build', 'Release', 'crane_engine.json'), 'utf8'),
    );
    const matrices = await twoAtATime(
      ['crane-native', 'crane-native-engine'].map((name) => () => {
        const tarballs = [whole, engine].map(tarball);
        return run(process.execPath, ['scripts/install-matrix.mjs', ...tarballs, libtorchRoot, name]);
      }),
    );
    const output = matrices.map((matrix) => matrix.output).join('');
    const code = matrices.find((matrix) => matrix.code !== 0)?.code ?? 0;
    const rows = (answer) => [...output.matchAll(new RegExp(`\\| ${answer} \\|$`, 'gm'))].length;
    failures.push(...output.split('\n').filter((line) => /\| NO \|$/.test(line)));
    return settled({ passed: rows('yes') + Number(isSame), failed: rows('NO') + Number(!isSame) }, code);
  },

  /** The vector kernels for 64-bit ARM, compiled here and run by an emulator: their results, never their speed. */
  async arm64() {
    const build = join(root, 'build', 'arm64');
    const settings = {
      CMAKE_SYSTEM_NAME: 'Linux',
      CMAKE_SYSTEM_PROCESSOR: 'aarch64',
      CMAKE_C_COMPILER: `${k_arm64}-gcc`,
      CMAKE_CXX_COMPILER: `${k_arm64}-g++`,
      CMAKE_BUILD_TYPE: 'Release',
    };
    const defined = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
    const made = await run('cmake', ['-S', 'test/native/kernels', '-B', build, ...defined]);
    const built = made.code === 0 ? await run('cmake', ['--build', build, '-j', '2']) : made;
    if (built.code !== 0) return { passed: 0, failed: 1 };
    const path = join(build, 'crane_kernel_tests');
    const total = { passed: 0, failed: 0 };
    // A processor with every instruction that a face needs, and one that has NEON alone.
    const processors = [
      { cpu: 'max', tests: '*', newer: true },
      { cpu: 'cortex-a72', tests: 'KernelChoice.*:Isa.*:Int8.*:*nearest*', newer: false },
    ];
    for (const { cpu, tests, newer } of processors) {
      // An emulated test has one processor: every second test in each half.
      const halves = [0, 1].map((half) => () => {
        const through = { emulator: 'qemu-aarch64', cpu, tests, half };
        return googletest(`crane_kernel_tests on ${cpu} ${half}`, path, through);
      });
      for (const { passed, failed } of await twoAtATime(halves)) {
        total.passed += passed;
        total.failed += failed;
      }
      const { output } = await run('qemu-aarch64', ['-cpu', cpu, path, '--gtest_list_tests']);
      const faces = ['linear_bfloat16_neonbf16', 'attention_bfloat16_neonbf16', 'linear_int8_neoni8mm'];
      const wrong = faces.filter((face) => output.includes(face) !== newer);
      failures.push(...wrong.map((face) => `${face} is ${newer ? 'not ' : ''}found on ${cpu}`));
      total.passed += faces.length - wrong.length;
      total.failed += wrong.length;
    }
    return total;
  },

  /**
   * Compiles the CUDA kernels and the table that only a build with CUDA has. They run where a GPU is
   * (scripts/gpu.sh); the suite native runs their source on the CPU.
   */
  async cuda() {
    const nvcc = process.env.CUDACXX ?? 'nvcc';
    const total = { passed: 0, failed: 0 };
    const flags = ['-std=c++20', '-O3', '-I', 'native'];
    const processors = ['80', '90'].flatMap((sm) => ['-gencode', `arch=compute_${sm},code=sm_${sm}`]);
    const sources = globSync('native/**/*_cuda.cu', { cwd: root });
    const works = sources.map((source) => () => {
      const object = join(scratch, `${basename(source)}.o`);
      return run(nvcc, [...flags, ...processors, '-c', source, '-o', object]);
    });
    for (const [at, { code }] of (await twoAtATime(works)).entries()) {
      console.log(`${sources[at]}: ${code === 0 ? 'compiled for sm_80 and sm_90' : 'FAILED'}`);
      total[code === 0 ? 'passed' : 'failed']++;
    }
    const compiler = process.env.CXX ?? 'c++';
    const table = 'native/engine/linked_kernels.cpp';
    const { code } = await run(compiler, [
      ...['-std=c++20', '-fsyntax-only', '-DCRANE_WITH_CUDA', '-I', 'native'],
      table,
    ]);
    console.log(`${table}: ${code === 0 ? 'compiled with CUDA' : 'FAILED'}`);
    total[code === 0 ? 'passed' : 'failed']++;
    return total.passed + total.failed === 0 ? { passed: 0, failed: 1 } : total;
  },
};

const k_arm64 = 'aarch64-linux-gnu';
const isThere = (program) => spawnSync(program, ['--version']).status === 0;
const hasNvcc = process.env.CUDACXX !== undefined || spawnSync('nvcc', ['--version']).status === 0;
/** Suites that need what a machine may not have, and why they are not run here. */
const missing = {
  ...(hasNvcc ? {} : { cuda: 'no nvcc in CUDACXX or PATH' }),
  ...(isThere(`${k_arm64}-g++`) && isThere('qemu-aarch64')
    ? {}
    : { arm64: `no ${k_arm64}-g++ or no qemu-aarch64 in PATH` }),
  ...(findChromium() ? {} : { browser: 'no Chromium in CHROMIUM_PATH or /usr/bin' }),
};
/** What tries the tree as it is built: of each change. The others compile it in other ways, pack it, or damage it for minutes. */
const ofEachChange = ['native', 'unit', 'browser', 'parity', 'methods', 'data'];
const named = process.argv.slice(2).filter((name) => name !== '--all');
const isAll = process.argv.includes('--all');
const asked = isAll ? Object.keys(suites) : ofEachChange;
const wanted = named.length > 0 ? named : asked.filter((name) => !Object.hasOwn(missing, name));
const rows = [];
for (const name of wanted) {
  if (!suites[name]) {
    console.error(`no suite "${name}"; there are ${Object.keys(suites).join(', ')}`);
    process.exit(2);
  }
  console.log(`\n== ${name}`);
  const startedAt = Date.now();
  rows.push({ name, ...(await suites[name]()), seconds: (Date.now() - startedAt) / 1000 });
}
rmSync(scratch, { recursive: true, force: true });

for (const test of skipped) console.log(`skipped, in no sum: ${test}`);
for (const failure of failures) console.log(`\nFAILED ${failure.slice(0, 2000)}`);
console.log('');
if (named.length === 0) {
  for (const name of asked)
    if (Object.hasOwn(missing, name)) console.log(`not run: ${name} (${missing[name]})`);
  const others = Object.keys(suites).filter((name) => !asked.includes(name));
  if (others.length > 0) console.log(`not run: ${others.join(', ')} (npm test -- --all runs them too)`);
}
for (const { name, passed, failed, seconds } of rows)
  console.log(
    `${name.padEnd(8)} ${String(passed).padStart(6)} passed ${String(failed).padStart(4)} failed ${seconds.toFixed(0).padStart(5)} s`,
  );
const passed = rows.reduce((sum, row) => sum + row.passed, 0);
const failed = rows.reduce((sum, row) => sum + row.failed, 0);
if (skipped.length > 0)
  console.log(`\n${skipped.length} tests could not run here and are in no sum (named above)`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
