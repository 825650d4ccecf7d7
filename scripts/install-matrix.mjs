// Installs the packed package under adverse conditions and prints what happened as a table.
// Usage: node scripts/install-matrix.mjs <crane-native.tgz> <folder of libtorch 2.11.0>; exits 1 when a row is not as expected.
// Needs the npm registry (or npm's cache) for the dependencies, once; the rows themselves run without network.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [tarball, libtorch] = process.argv.slice(2).map((path) => resolve(path));
if (!tarball || !libtorch) {
  console.error('usage: node scripts/install-matrix.mjs <crane-native.tgz> <folder of libtorch>');
  process.exit(2);
}

const work = mkdtempSync(join(tmpdir(), 'crane install ä-'));
/** PATH without compiler, cmake and Python */
const bare = join(work, 'bin');
mkdirSync(bare);
symlinkSync(process.execPath, join(bare, 'node'));
/** nobody listens there: refuses at once, as a machine without network does */
const nowhere = 'http://127.0.0.1:9';

const rows = [
  {
    name: 'libtorch named, no compiler, cmake, Python',
    env: { CRANE_LIBTORCH: libtorch },
    install: 0,
    score: 0,
    everyDoor: true,
  },
  {
    name: '--ignore-scripts, libtorch named',
    env: { CRANE_LIBTORCH: libtorch },
    skipScript: true,
    install: 0,
    score: 0,
  },
  { name: 'no network', install: 0, score: 5, says: /E_LIBTORCH_NOT_FOUND[\s\S]*PIP_INDEX_URL/ },
  { name: '--ignore-scripts', skipScript: true, install: 0, score: 5, says: /build --fetch/ },
  {
    name: 'wrong libtorch',
    env: { CRANE_LIBTORCH: wrongLibtorch() },
    install: 5,
    score: 5,
    says: /E_LIBTORCH_VERSION/,
  },
  {
    name: 'CRANE_LIBTORCH does not exist',
    env: { CRANE_LIBTORCH: '/none' },
    install: 0,
    score: 5,
    says: /does not exist/,
  },
  {
    name: 'home that cannot be written',
    env: { HOME: '/proc/none', CRANE_CACHE: '' },
    install: 0,
    score: 5,
    says: /CRANE_CACHE/,
  },
  {
    name: 'nothing prebuilt, no tools',
    without: 'prebuilds',
    install: 5,
    score: 5,
    says: /cmake 3\.22 or newer: cmake is not installed/,
  },
  {
    name: 'engine cut short',
    damage: true,
    env: { CRANE_LIBTORCH: libtorch },
    install: 0,
    score: 5,
    says: /E_ADDON_LOAD/,
  },
];

const template = join(work, 'template');
mkdirSync(template);
writeFileSync(join(template, 'package.json'), '{"name":"user","version":"1.0.0","private":true}');
const npm = spawnSync('npm', ['install', tarball, '--ignore-scripts', '--no-audit', '--no-fund'], {
  cwd: template,
  encoding: 'utf8',
});
if (npm.status !== 0) {
  console.error(npm.stderr);
  process.exit(1);
}

let failures = 0;
console.log('| situation | install | first use | as expected |\n|---|---|---|---|');
for (const row of rows) {
  const user = join(work, 'a user');
  cpSync(template, user, { recursive: true });
  const root = join(user, 'node_modules', 'crane-native');
  if (row.without) rmSync(join(root, row.without), { recursive: true });
  if (row.damage)
    writeFileSync(join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'crane_engine.node'), 'x');
  const env = {
    PATH: bare,
    HOME: join(work, 'home'),
    CRANE_CACHE: join(work, 'cache'),
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: `${nowhere}/simple`,
    CRANE_LIBTORCH_URL: `${nowhere}/libtorch.zip`,
    ...row.env,
  };
  const run = (script, ...args) => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, script), ...args], {
      cwd: user,
      env,
      encoding: 'utf8',
    });
    return { status, stderr };
  };
  const install = row.skipScript ? { status: 0, stderr: '' } : run('scripts/install.mjs');
  const samples = join(root, 'models', 'crane-mini', 'samples');
  const score = run('dist/cli/main.js', 'score', samples, '--limit', '1', '--format', 'jsonl');
  const doors = row.everyDoor ? everyDoor(user, env, join(samples, 'bsdata-good-g00.jpg')) : '';
  const text = install.stderr + score.stderr + doors;
  const right =
    doors === '' &&
    install.status === row.install &&
    score.status === row.score &&
    (!row.says || row.says.test(text));
  if (!right) {
    failures++;
    console.error(`--- ${row.name}\n${text}`);
  }
  console.log(
    `| ${row.name} | ${install.status} | ${score.status} ${code(score.stderr)} | ${right ? 'yes' : 'NO'} |`,
  );
  rmSync(user, { recursive: true });
}
rmSync(work, { recursive: true, force: true });
process.exitCode = failures === 0 ? 0 : 1;

/** Scores one picture through the installed command, `import` and `require`; '' when all three give one score. */
function everyDoor(user, env, picture) {
  const path = JSON.stringify(picture);
  const library = `loadEngine().then((e) => e.score(${path})).then((r) => console.log(r.score))`;
  const doors = {
    command: [[join(user, 'node_modules', '.bin', 'crane-native')], ['score', picture, '--format', 'jsonl']],
    import: [['--input-type=module', '-e', `import { loadEngine } from 'crane-native'; ${library}`], []],
    require: [['-e', `const { loadEngine } = require('crane-native'); ${library}`], []],
  };
  const answers = Object.entries(doors).map(([name, [script, args]]) => {
    const { stdout, stderr } = spawnSync(process.execPath, [...script, ...args], {
      cwd: user,
      env,
      encoding: 'utf8',
    });
    const score = name === 'command' ? /"score":([0-9.e-]+)/.exec(stdout)?.[1] : stdout.trim();
    return { name, score, stderr };
  });
  const first = answers[0].score;
  if (first && answers.every(({ score }) => score === first)) return '';
  return answers.map(({ name, score, stderr }) => `${name}: ${score} ${stderr}`).join('\n');
}

function code(stderr) {
  return /\[(E_[A-Z_]+)\]/.exec(stderr)?.[1] ?? '';
}

/** Looks like a libtorch of another version. */
function wrongLibtorch() {
  const folder = join(work, 'other libtorch');
  mkdirSync(join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'lib', 'libtorch_cpu.so'), '');
  writeFileSync(join(folder, 'build-version'), '2.10.0+cpu\n');
  return folder;
}
