// Installs the packed packages under adverse conditions and prints what happened as a table.
// Usage: node scripts/install-matrix.mjs CRANE_NATIVE_TGZ CRANE_NATIVE_ENGINE_TGZ LIBTORCH [PACKAGE]
// LIBTORCH: a folder of libtorch 2.11.0; PACKAGE: the rows of that one alone.
// Exits 1 when a row is not as expected. Needs the npm registry (or npm's cache) for the dependencies, once; the rows run
// without network.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [whole, engine, libtorch] = process.argv.slice(2, 5).map((path) => resolve(path));
const only = process.argv[5];
const tarballs = { 'crane-native': whole, 'crane-native-engine': engine };
if (!whole || !engine || !libtorch || (only !== undefined && !Object.hasOwn(tarballs, only))) {
  console.error(
    'usage: node scripts/install-matrix.mjs CRANE_NATIVE_TGZ CRANE_NATIVE_ENGINE_TGZ LIBTORCH [PACKAGE]',
  );
  process.exit(2);
}

const work = mkdtempSync(join(tmpdir(), 'crane install ä-'));
/** PATH without compiler, cmake and Python */
const bare = join(work, 'bin');
mkdirSync(bare);
symlinkSync(process.execPath, join(bare, 'node'));
/** nobody listens there: refuses at once, as a machine without network does */
const nowhere = 'http://127.0.0.1:9';
/** the links in .bin lead to the copy, not to what was copied */
const copied = { recursive: true, verbatimSymlinks: true };

/** Of either package: what its install script says, and its first use. */
const rows = [
  {
    name: 'libtorch named, no compiler, cmake, Python',
    env: { CRANE_LIBTORCH: libtorch },
    install: 0,
    use: 0,
    everyDoor: true,
  },
  {
    name: '--ignore-scripts, libtorch named',
    env: { CRANE_LIBTORCH: libtorch },
    skipScript: true,
    install: 0,
    use: 0,
  },
  { name: 'no network', install: 0, use: 5, says: /E_LIBTORCH_NOT_FOUND[\s\S]*PIP_INDEX_URL/ },
  { name: '--ignore-scripts', skipScript: true, install: 0, use: 5, says: /build --fetch/ },
  {
    name: 'wrong libtorch',
    env: { CRANE_LIBTORCH: wrongLibtorch() },
    install: 5,
    use: 5,
    says: /E_LIBTORCH_VERSION/,
  },
  {
    name: 'CRANE_LIBTORCH does not exist',
    env: { CRANE_LIBTORCH: '/none' },
    install: 0,
    use: 5,
    says: /does not exist/,
  },
  {
    name: 'home that cannot be written',
    env: { HOME: '/proc/none', CRANE_CACHE: '' },
    install: 0,
    use: 5,
    says: /CRANE_CACHE/,
  },
  {
    name: 'nothing prebuilt, no tools',
    without: 'prebuilds',
    install: 5,
    use: 5,
    says: {
      'crane-native': /cmake 3\.22 or newer: cmake is not installed/,
      'crane-native-engine': /E_DEPENDENCY.*"cmake-js"[\s\S]*npm install cmake-js@\d/,
    },
  },
  {
    name: 'engine cut short',
    damage: true,
    env: { CRANE_LIBTORCH: libtorch },
    install: 0,
    use: 5,
    says: /E_ADDON_LOAD/,
  },
];

let failures = 0;
console.log('| package | situation | install | first use | as expected |\n|---|---|---|---|---|');
for (const [name, tarball] of Object.entries(tarballs)) {
  if (only !== undefined && name !== only) continue;
  checkManifest(name, tarball);
  const template = join(work, `template of ${name}`);
  installInto(template, [tarball]);
  checkLicences(name, template);
  for (const row of rows) tryRow(name, template, row);
  if (name === 'crane-native-engine') tryOptional(template);
  else {
    tryJest(template);
    tryExamples(template);
  }
}
rmSync(work, { recursive: true, force: true });
process.exitCode = failures === 0 ? 0 : 1;

function tell(name, situation, install, use, isRight, text) {
  if (!isRight) {
    failures++;
    console.error(`--- ${name}: ${situation}\n${text}`);
  }
  console.log(`| ${name} | ${situation} | ${install} | ${use} | ${isRight ? 'yes' : 'NO'} |`);
}

/** What package.json promises is in the tarball, and its types are found by every way of resolving them. */
function checkManifest(name, tarball) {
  const tools = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules', '.bin');
  for (const [tool, args] of [
    ['publint', ['run', tarball, '--strict']],
    ['attw', [tarball]],
  ]) {
    const { status, stdout, stderr } = spawnSync(join(tools, tool), args, { encoding: 'utf8' });
    tell(name, tool, '', status, status === 0, `${stdout}${stderr}`);
  }
}

function installInto(folder, packages) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"name":"user","version":"1.0.0","private":true}');
  const args = ['install', ...packages, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status === 0) return;
  console.error(stderr);
  process.exit(1);
}

/** Whatever npm has installed with it is in the package's own file of licence texts; of a newer version than the lock's by its name. */
function checkLicences(name, template) {
  const texts = readFileSync(join(template, 'node_modules', name, 'THIRD_PARTY_LICENSES.txt'), 'utf8');
  const { packages } = JSON.parse(readFileSync(join(template, 'package-lock.json'), 'utf8'));
  const installed = Object.keys(packages)
    .filter((path) => path !== '' && existsSync(join(template, path, 'package.json')))
    .map((path) => path.split('node_modules/').at(-1))
    .filter((part) => part !== name);
  const lacking = installed.filter((part) => !texts.includes(`\n${part}@`));
  const isRight = installed.length > 3 && lacking.length === 0;
  const told = `of ${installed.length} packages`;
  tell(name, 'licence texts', told, '', isRight, `without a text: ${lacking.join(', ')}`);
}

function surroundings(env) {
  return {
    PATH: bare,
    HOME: join(work, 'home'),
    CRANE_CACHE: join(work, 'cache'),
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: `${nowhere}/simple`,
    CRANE_LIBTORCH_URL: `${nowhere}/libtorch.zip`,
    ...env,
  };
}

function tryRow(name, template, row) {
  const user = join(work, 'a user');
  cpSync(template, user, copied);
  const root = join(user, 'node_modules', name);
  if (row.without) rmSync(join(root, row.without), { recursive: true });
  if (row.damage)
    writeFileSync(join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'crane_engine.node'), 'x');
  const env = surroundings(row.env);
  const node = (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: user,
      env,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const install = row.skipScript ? { status: 0, stderr: '' } : node(join(root, 'scripts', 'install.mjs'));
  const picture = join(root, 'models', 'crane-mini', 'samples', 'bsdata-good-g00.jpg');
  const command = [join(user, 'node_modules', '.bin', 'crane-native'), 'score', picture, '--format', 'jsonl'];
  const library = `loadEngine().then((e) => e.score(${JSON.stringify(picture)})).then((r) => console.log(r.score),
    (e) => { console.error(e.message, e.hint, '[' + e.code + ']'); process.exitCode = e.exitCode; })`;
  const doors = {
    ...(name === 'crane-native' ? { command } : {}),
    import: ['--input-type=module', '-e', `import { loadEngine } from '${name}'; ${library}`],
    require: ['-e', `const { loadEngine } = require('${name}'); ${library}`],
  };
  const uses = Object.entries(doors).slice(0, row.everyDoor ? undefined : 1);
  const answers = uses.map(([door, args]) => ({ door, ...node(...args) }));
  const scores = answers.map(({ stdout }) => /"score":([0-9.e-]+)/.exec(stdout)?.[1] ?? stdout.trim());
  const text =
    install.stderr + answers.map(({ door, stdout, stderr }) => `${door}: ${stdout}${stderr}`).join('\n');
  const says = row.says instanceof RegExp ? row.says : row.says?.[name];
  const isRight =
    install.status === row.install &&
    answers.every(({ status }) => status === row.use) &&
    (row.use !== 0 || (scores[0] !== '' && scores.every((score) => score === scores[0]))) &&
    (!says || says.test(text));
  tell(name, row.name, install.status, `${answers[0].status} ${code(answers[0].stderr)}`, isRight, text);
  rmSync(user, { recursive: true });
}

/** What the engine package leaves out is asked for by name, and serves once it is there. */
function tryOptional(template) {
  const more = join(work, 'with more');
  cpSync(template, more, copied);
  const use = (cwd) => {
    const script = `import { createTrainer, loadEngine } from 'crane-native-engine';
      const engine = await loadEngine();
      await createTrainer({ engine, data: 'none', out: 'out' }).catch((e) => console.log(e.code + ' ' + e.hint));`;
    const env = surroundings({ CRANE_LIBTORCH: libtorch });
    const args = ['--input-type=module', '-e', script];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' });
    return stdout + stderr;
  };
  const before = use(more);
  const wanted = /npm install (\S+@\d[^\s,]*)/.exec(before)?.[1];
  const isAsked = /^E_DEPENDENCY /.test(before) && wanted !== undefined;
  tell(
    'crane-native-engine',
    'learning, without its package',
    '',
    code(before) || before.split(' ')[0],
    isAsked,
    before,
  );
  if (!isAsked) return;
  const args = ['install', wanted, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  spawnSync('npm', args, { cwd: more, encoding: 'utf8' });
  const after = use(more);
  tell(
    'crane-native-engine',
    `after npm install ${wanted}`,
    '',
    after.split(' ')[0],
    /^E_DATA_/.test(after),
    after,
  );
}

/** examples/jest as a user would run it, against the packed package. */
function tryJest(template) {
  const example = join(dirname(dirname(fileURLToPath(import.meta.url))), 'examples', 'jest');
  const user = join(work, 'a user of Jest');
  cpSync(template, user, copied);
  const { devDependencies } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'));
  const wanted = Object.entries(devDependencies).map(([name, version]) => `${name}@${version}`);
  const install = spawnSync(
    'npm',
    ['install', ...wanted, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'],
    { cwd: user, encoding: 'utf8' },
  );
  for (const file of ['inspector.js', 'inspector.test.js']) cpSync(join(example, file), join(user, file));
  const jest = spawnSync(process.execPath, [join(user, 'node_modules', 'jest', 'bin', 'jest.js')], {
    cwd: user,
    env: surroundings({ CRANE_LIBTORCH: libtorch }),
    encoding: 'utf8',
  });
  const isRight = install.status === 0 && jest.status === 0 && /Tests: +\d+ passed/.test(jest.stderr);
  const text = `${install.stderr}${jest.stdout}${jest.stderr}`;
  tell('crane-native', 'examples/jest, in CommonJS', install.status, jest.status, isRight, text);
}

/** The other examples from the packed package. The servers say where they listen, score, tell a fault, and end when they are told to. */
function tryExamples(template) {
  const examples = join(dirname(dirname(fileURLToPath(import.meta.url))), 'examples');
  const user = join(work, 'a user of examples');
  cpSync(template, user, copied);
  const args = [
    'install',
    'express@5.3.0',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
  ];
  const install = spawnSync('npm', args, { cwd: user, encoding: 'utf8' });
  const samples = join(user, 'node_modules', 'crane-native', 'models', 'crane-mini', 'samples');
  const picture = join(samples, 'bsdata-pitting-p00.jpg');
  const env = { ...surroundings({ CRANE_LIBTORCH: libtorch }), PORT: '0' };
  const options = { cwd: user, env, encoding: 'utf8', timeout: 120_000 };
  for (const [name, path] of [
    ['express', '/score'],
    ['fastify', '/score'],
    ['cluster', '/'],
  ]) {
    cpSync(join(examples, `${name}.mjs`), join(user, `${name}.mjs`));
    const script = `import { spawn } from 'node:child_process';
      import { readFileSync } from 'node:fs';
      const server = spawn(process.execPath, ['${name}.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = new Promise((resolve) => server.once('exit', resolve));
      const url = String(await Promise.race([new Promise((resolve) => server.stdout.once('data', resolve)), ended])).trim();
      const ask = (body) => fetch(url + '${path}', { method: 'POST', body, headers: { 'content-type': 'image/jpeg', connection: 'close' } });
      const good = await ask(readFileSync(${JSON.stringify(picture)}));
      const { score } = await good.json();
      const bad = await ask('nothing');
      server.kill('SIGTERM');
      console.log([good.status, score > 0.97, bad.status, await ended].join(' '));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
    const said = stdout.trim();
    const isRight = install.status === 0 && said === '200 true 400 0';
    tell(
      'crane-native',
      `examples/${name}.mjs`,
      install.status,
      said,
      isRight,
      `${install.stderr}${stdout}${stderr}`,
    );
  }
  for (const [name, args, input] of [
    ['worker-threads', [picture], ''],
    ['million-paths', [], `${picture}\n`],
    ['video-frames', ['448', '448'], rgbOf(user, picture)],
  ]) {
    cpSync(join(examples, `${name}.mjs`), join(user, `${name}.mjs`));
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${name}.mjs`, ...args], {
      ...options,
      input,
    });
    const isRight = status === 0 && /"score":0\.97/.test(stdout);
    tell('crane-native', `examples/${name}.mjs`, '', status, isRight, `${stdout}${stderr}`);
  }
}

/** Pixels of a picture, by the decoder that came with the package. */
function rgbOf(user, picture) {
  const script = `import sharp from 'sharp';
    process.stdout.write(await sharp(${JSON.stringify(picture)}).raw().toBuffer());`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: user, maxBuffer: 2 ** 24 })
    .stdout;
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
