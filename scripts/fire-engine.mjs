// The native tests under ASan, LSan and UBSan, and the addon under ASan and UBSan, under Node (scripts/fire.mjs asan).
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const engineFolder = join(root, 'build', 'fire', 'engine');
const require = createRequire(import.meta.url);

/** Tests of the addon: what crosses from JavaScript into the engine and back. */
const ofAddon = ['test/cli/normals.test.ts', 'test/cli/train.test.ts'];

function run(command, args, env = {}) {
  console.log(`# ${[command, ...args].join(' ').slice(0, 200)}`);
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    env: { CRANE_PARITY: join(root, 'test/parity/data'), ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return { code: status ?? signal ?? String(error), output: `${stdout}${stderr}` };
}

function must({ code, output }) {
  if (code === 0) return;
  console.log(output.slice(-6000));
  process.exit(1);
}

/** The build of the addon (src/build/build-addon.ts) in a folder of its own, with these -D besides. */
export function configureEngine(folder, definitions) {
  const record = JSON.parse(readFileSync(join(root, 'build', 'Release', 'crane_engine.json'), 'utf8'));
  mkdirSync(folder, { recursive: true });
  const all = {
    CRANE_VERSION: record.version,
    CRANE_LIBTORCH_ROOT: record.libtorchRoot,
    CRANE_LIBTORCH_BUILD_ID: record.libtorchBuildId,
    CRANE_CUDA: 'off',
    CRANE_TESTS: 'ON',
    ...definitions,
  };
  const cmakeJs = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const args = [
    'configure',
    '--directory',
    root,
    '--out',
    folder,
    '--generator',
    'Ninja',
    '--log-level',
    'warn',
  ];
  must(
    run(process.execPath, [
      cmakeJs,
      ...args,
      ...Object.entries(all).map(([name, value]) => `--CD${name}=${value}`),
    ]),
  );
}

function buildEngine(folder, targets) {
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(os.availableParallelism());
  must(run('cmake', ['--build', folder, '-j', jobs, '--target', ...targets]));
}

const libraryOf = (name) =>
  spawnSync(process.env.CXX ?? 'c++', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();

function configureUnderAsan() {
  configureEngine(engineFolder, {
    CRANE_SANITIZE: 'address,undefined',
    CMAKE_CXX_FLAGS_RELEASE: '-O1',
  });
}

/**
 * The native suite, those tests included that need libtorch.
 * @param tell called with what was tried, whether it is right, and the output
 */
export function nativeTestsUnderAsan(tell) {
  configureUnderAsan();
  const programs = ['crane_plain_tests', 'crane_torch_tests'];
  buildEngine(engineFolder, programs);
  const pathOf = (program) =>
    [join(engineFolder, 'Release', program), join(engineFolder, program)].find(existsSync) ?? program;
  const env = {
    ASAN_OPTIONS: 'detect_leaks=1',
    LSAN_OPTIONS: `suppressions=${join(root, 'test/fire/leaks.supp')}:print_suppressions=0`,
    UBSAN_OPTIONS: 'print_stacktrace=1',
  };
  const scratch = mkdtempSync(join(os.tmpdir(), 'crane-asan-'));
  for (const program of programs) {
    const report = join(scratch, `${program}.json`);
    const started = Date.now();
    const args = ['--gtest_brief=1', `--gtest_output=json:${report}`];
    const { code, output } = run(pathOf(program), args, env);
    const { tests = 0, failures = 1 } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
    const isClean = code === 0 && failures === 0 && tests > 100 && !/Sanitizer|runtime error/.test(output);
    const seconds = Math.round((Date.now() - started) / 1000);
    tell(`${tests} tests of ${program} under address,leak,undefined (${seconds} s)`, isClean, output);
  }
  rmSync(scratch, { recursive: true });
  // One test that scores by the method of the tests, which has the planted bugs.
  const one = ['--gtest_brief=1', '--gtest_filter=Toy.PartsAreChosen*'];
  const finds = {
    leak: 'LeakSanitizer',
    overflow: 'signed integer overflow',
    overread: 'heap-buffer-overflow',
  };
  for (const [bug, words] of Object.entries(finds)) {
    const { code, output } = run(pathOf('crane_torch_tests'), one, { ...env, CRANE_FIRE_PLANT: bug });
    tell(`planted ${bug} in the native tests is found`, code !== 0 && output.includes(words), output);
  }
}

/** @param tell called with what was tried, whether it is right, and the output */
export function addonUnderAsan(tell) {
  configureUnderAsan();
  buildEngine(engineFolder, ['crane_engine', 'crane_engine_toy', 'crane_loader']);
  const addon = join(engineFolder, 'Release');
  copyFileSync(join(root, 'build', 'Release', 'crane_engine.json'), join(addon, 'crane_engine.json'));
  const node = {
    // Node links the library of C++ into itself: the sanitizer finds what throws only where it is loaded before.
    LD_PRELOAD: `${libraryOf('libasan.so')} ${libraryOf('libstdc++.so.6')}`,
    // V8 frees nothing at its end; what it leaves is not ours.
    ASAN_OPTIONS: 'detect_leaks=0',
    UBSAN_OPTIONS: 'print_stacktrace=1',
    CRANE_ADDON: addon,
    CRANE_TIMES_SLOWER: '10',
  };
  const toy = [join(root, 'test', 'methods', 'crane-native-toy.mjs'), 'score', '--method', 'toy'];
  const score = [...toy, join(root, 'models', 'crane-mini', 'samples', 'bsdata-good-g00.jpg')];
  const withToy = { ...node, CRANE_ADDON: plantedAddon() };
  const sound = run(process.execPath, score, withToy);
  tell('scoring under address,undefined', sound.code === 0, sound.output);
  const planted = run(process.execPath, score, { ...withToy, CRANE_FIRE_PLANT: 'overread' });
  const isFound = planted.code !== 0 && planted.output.includes('heap-buffer-overflow');
  tell('a planted overread in the addon is found', isFound, planted.output);

  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  for (const test of ofAddon) {
    const limits = ['--testTimeout=600000', '--hookTimeout=600000', '--maxWorkers=1'];
    const { code, output } = run(process.execPath, [vitest, 'run', test, ...limits], node);
    const isClean = !/Sanitizer|runtime error/.test(output);
    tell(`${test} under address,undefined`, code === 0 && isClean, output);
  }
}

/** The addon of the tests, which has the planted bug. */
function plantedAddon() {
  const folder = join(engineFolder, 'planted');
  mkdirSync(folder, { recursive: true });
  for (const name of ['crane_loader.node', 'crane_engine.json'])
    copyFileSync(join(engineFolder, 'Release', name), join(folder, name));
  copyFileSync(join(engineFolder, 'toy', 'crane_engine.node'), join(folder, 'crane_engine.node'));
  return folder;
}
