import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Argv, CommandModule } from 'yargs';
import { commandsFor } from '../../../src/cli/commands.js';
import type { Context } from '../../../src/cli/context.js';
import { CraneError } from '../../../src/errors.js';
import { flagName, optionNames } from '../../../src/options/table.js';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { runInProcess } from './run-in-process.js';

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeAll(async () => {
  folder = await makeToyFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('help and usage', () => {
  it('lists the commands', async () => {
    const run = await runInProcess(['--help']);
    expect(run.code).toBe(0);
    for (const name of ['score', 'demo', 'bench', 'doctor', 'weights', 'build'])
      expect(run.stdout).toMatch(new RegExp(`crane-native ${name}\\b`));
  });

  it('shows every flag of score with its default, and fits the terminal', async () => {
    const { stdout } = await runInProcess(['score', '--help'], { isTerminal: { columns: 90 } });
    expect(stdout).toMatch(/--e-attn-layers/);
    expect(stdout).toMatch(/--max-pixels[\s\S]*?default: 100000000/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(90);
  });

  it('is laid out only where it is asked for', async () => {
    // Laying it out measures every word, character by character.
    const measured = vi.spyOn(String.prototype, 'codePointAt');
    try {
      expect((await runInProcess(['score', at('none.png'), '--model', at('model')])).code).not.toBe(2);
      expect(measured.mock.calls.length).toBeLessThan(100);
      await runInProcess(['score', '--help']);
      expect(measured.mock.calls.length).toBeGreaterThan(1000);
    } finally {
      measured.mockRestore();
    }
  });

  it('prints the version', async () => {
    expect((await runInProcess(['--version'])).stdout).toBe('0.1.0\n');
  });

  it.each([
    [['scor', 'a.png'], 'there is no command "scor"', 'did you mean score?'],
    [[], 'name a command', 'see crane-native --help'],
    [['score'], 'score needs an input', 'a file, a folder, a glob, @list, - or --manifest FILE'],
    [['doctor', 'x'], 'doctor takes no "x"', 'see crane-native doctor --help'],
    [['data', 'check', 'a', 'b'], 'data check takes no "b"', 'see crane-native data check --help'],
    [['demo', 'x', '--treads', '2'], 'there is no flag "--treads"', 'did you mean --threads?'],
    [['score', 'a.png', '--no-fusoin'], 'there is no flag "--fusoin"', 'did you mean --fusion?'],
    // flags that another command has, and words that it takes
    [['doctor', '--heatmaps'], 'there is no flag "--heatmaps"', 'see crane-native doctor --help'],
    [
      ['weights', 'verify', '--file=a'],
      'there is no flag "--file"',
      'see crane-native weights verify --help',
    ],
    [['doctor', '-qv'], 'there is no flag "-q"', 'see crane-native doctor --help'],
  ])('%j: %s', async (args, message, hint) => {
    const run = await runInProcess([...args, '--json']);
    expect(run.code).toBe(2);
    expect(JSON.parse(run.stderr)).toEqual({ error: { code: 'E_USAGE', message, hint } });
    expect(run.stdout).toBe('');
  });

  it.each([['test', 'set'], ['train', 'set'], ['demo'], ['data', 'index', 'set']])(
    '%s makes no folder called by an address',
    async (...command) => {
      const run = await runInProcess([...command, '--out', 's3://bucket/results']);
      expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('no address')]);
    },
  );

  it('shows an error for people with its code and what to do', async () => {
    const run = await runInProcess(['score', 'a.png', '--model', 'nosuch']);
    expect(run.code).toBe(4);
    expect(run.stderr).toMatch(
      /^crane-native: no model is called "nosuch".*\[E_MODEL_NOT_FOUND\]\n {2}looked into /,
    );
  });
});

describe('flags', () => {
  /** Names of the flags of a command and of the commands below it, by what its builder tells yargs. */
  function flagsOf({ command, builder }: CommandModule): [string, string][] {
    const found: [string, string][] = [];
    const tell = (flags: object) => {
      for (const name of Object.keys(flags)) found.push([String(command), name]);
    };
    const recorder: unknown = new Proxy(
      {},
      {
        get: (_, method) => (first: unknown) => {
          if (method === 'option') tell({ [first as string]: {} });
          if (method === 'options') tell(first as object);
          if (method === 'command') found.push(...flagsOf(first as CommandModule));
          return recorder;
        },
      },
    );
    if (typeof builder === 'function') builder(recorder as Argv);
    else tell(builder ?? {});
    return found;
  }

  it.each([
    ['--fail-on-anomaly=yes', 'Expected true or false for --fail-on-anomaly but received "yes"'],
    ['--regions=1', 'Expected true or false for --regions but received "1"'],
    ['--fusion=TRUE', 'Expected true or false for --fusion but received "TRUE"'],
    ['--compat.exif=', 'Expected true or false for --compat.exif but received ""'],
    ['--help=on', 'Expected true or false for --help but received "on"'],
    ['-h=on', 'Expected true or false for -h but received "on"'],
    ['--no-fusion=yes', 'score takes no "no-fusion"'],
    ['--failOnAnomaly=yes', 'there is no flag "--failOnAnomaly"'],
  ])('that are true or false take nothing else: %s', async (given, message) => {
    const run = await runInProcess(['score', 'a.png', given, '--json']);
    expect([run.code, JSON.parse(run.stderr).error.message]).toEqual([2, message]);
  });

  it('may say true or false, and behind -- nothing is a flag', async () => {
    const run = await runInProcess([
      'score',
      at('a.png'),
      '--regions=true',
      '--no-fusion',
      '--',
      '--regions=yes',
    ]);
    expect(run.lines()).toMatchObject([{ input: at('a.png') }, { input: '--regions=yes' }]);
    expect((await runInProcess(['data', 'check', at(), '--follow-links=si'])).stderr).toContain(
      'Expected true or false for --follow-links but received "si"',
    );
  });

  it.each([
    [['--json=true'], true],
    [['--json', 'true'], true],
    [['--json', '--json=false'], false],
    [['--json', 'false'], false],
    [['--no-json'], false],
    [['--', '--json'], false],
  ])('%j: errors as JSON: %s', async (args, isJson) => {
    const run = await runInProcess(['weights', 'inspect', ...args]);
    expect(run.code).not.toBe(0);
    expect(run.stderr.startsWith('{"error"')).toBe(isJson);
  });

  it('are rows of the one table, all of them', async () => {
    // Builders ask for nothing of the process.
    const found = (await commandsFor([], {} as Context)).flatMap(flagsOf);
    const known = new Set(optionNames.map(flagName));
    expect(found.filter(([, name]) => !known.has(name))).toEqual([]);
    for (const name of ['learned-on', 'annotations', 'jobs', 'e-attn'])
      expect(found.map(([, flag]) => flag)).toContain(name);
  });

  it('of weights, data index and build are read as all others are', async () => {
    for (const [args, message] of [
      [['weights', 'convert', 'a', '--out', 'b', '--dtype', 'f64'], 'Expected one of f32, f16 for --dtype'],
      [['weights', 'pull', 'crane', '--from', ''], 'Expected a non-empty string for --from'],
      [['build', '--jobs', 'many'], 'Expected a whole number from 1 to 1024 for --jobs'],
      [['data', 'index', 'a', '--annotations', ''], 'Expected a non-empty string for --annotations'],
    ] as const) {
      const run = await runInProcess([...args]);
      expect(run.code, args.join(' ')).toBe(2);
      expect(run.stderr).toContain(message);
    }
  });
});

it('worker takes jobs of nobody before its queue answers', async () => {
  await makeToyModel(at('of worker'));
  const run = await runInProcess(['worker', '--redis', 'foo', '--model', at('of worker')]);
  expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('Expected redis://HOST:PORT')]);
  expect(run.stderr).not.toContain('takes jobs');
});

describe('demo', () => {
  async function makeModel(name: string) {
    const model = await makeToyModel(at(name));
    await mkdir(join(model.folder, 'samples'));
    await writePicture(join(model.folder, 'samples', 'good.png'), 20, 64, 48);
    await writePicture(join(model.folder, 'samples', 'bad.png'), 220, 64, 48);
    await writePicture(join(model.folder, 'samples', 'bad_mask.png'), 255, 64, 48);
    const samples = [
      { picture: 'good.png', mask: null, set: 'toys', kind: 'good', anomalous: false },
      { picture: 'bad.png', mask: 'bad_mask.png', set: 'new & <b>', kind: 'hole', anomalous: true },
    ];
    await writeFile(join(model.folder, 'samples', 'samples.json'), JSON.stringify(samples));
    return model;
  }

  it('writes heat maps and one page that needs nothing else', async () => {
    const model = await makeModel('demo model');
    const run = await runInProcess(['demo', '--model', model.folder, '--out', at('demo')]);
    expect(run.stderr).toBe('open this page in a browser:\n');
    expect(run.code).toBe(0);
    expect(run.stdout.trimEnd().split('\n').at(-1)).toBe(at('demo', 'index.html'));
    await access(at('demo', 'good.heat.jpg'));
    const page = await readFile(at('demo', 'index.html'), 'utf8');
    expect(page).toContain('new &amp; &lt;b&gt;: hole');
    expect(page).not.toMatch(/<script|https?:\/\/|src="(?!data:)/);
    expect(page).toContain('The samples come from toys too');
    expect(page.match(/class="outline"/g)).toHaveLength(2);
    expect(page.match(/<img alt=/g)!.length).toBe(page.match(/<img/g)!.length - 2);
  });

  it('shows samples beside themselves compared with good pictures of their set', async () => {
    const model = await makeModel('demo model with good');
    const good = join(model.folder, 'normals');
    await mkdir(good);
    for (const [i, name] of ['a.png', 'b.png'].entries())
      await writePicture(join(good, name), 24 + i, 64, 48);
    await writeFile(
      join(good, 'normals.json'),
      JSON.stringify({ toys: ['a.png', 'b.png'], others: ['a.png'] }),
    );
    const run = await runInProcess(['demo', '--model', model.folder, '--out', at('demo 5')]);
    expect(run).toMatchObject({ code: 0, stderr: 'open this page in a browser:\n' });
    const page = await readFile(at('demo 5', 'index.html'), 'utf8');
    expect(page.match(/class="pair three"/g)).toHaveLength(1);
    expect(page.match(/by 2 good pictures/g)).toHaveLength(1);
    expect(page.match(/Heat map of good\.png by good pictures/g)).toHaveLength(1);
    expect(page).toContain('--false-alarm-rate 0.3334 ');
    await writeFile(join(good, 'normals.json'), '{"toys": []}');
    const bad = await runInProcess(['demo', '--model', model.folder, '--out', at('demo 6'), '--json']);
    expect(bad.code).not.toBe(0);
    expect(bad.stderr).toContain('E_MODEL_JSON');
  });

  it('overwrites nothing unasked', async () => {
    const model = await makeModel('demo model 2');
    const args = ['demo', '--model', model.folder, '--out', at('demo 2')];
    expect((await runInProcess(args)).code).toBe(0);
    expect((await runInProcess(args)).code).toBe(2);
    expect((await runInProcess([...args, '--force'])).code).toBe(0);
  });

  it('says so when a model has no samples', async () => {
    const model = await makeToyModel(at('bare'));
    const run = await runInProcess(['demo', '--model', model.folder, '--out', at('demo 3'), '--json']);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('has no sample pictures');
  });
});

describe('doctor', () => {
  async function makeGolden(name: string, expected: number) {
    const model = await makeToyModel(at(name), (json) => {
      Object.assign(json, { golden: { picture: 'golden.png', score: expected, tolerance: 1e-3 } });
    });
    await writePicture(join(model.folder, 'golden.png'), 51);
    return model;
  }
  const findings = (stdout: string) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { about: string; state: string; code?: string });

  it('finds nothing wrong with a sound model and checks its golden case', async () => {
    const model = await makeGolden('sound', 0.2004);
    const run = await runInProcess(['doctor', '--model', model.folder, '--json']);
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    const found = findings(run.stdout);
    expect(found.every(({ state }) => state === 'ok')).toBe(true);
    for (const about of [
      'processor',
      'memory',
      'libtorch',
      'devices',
      'weights.safetensors',
      'golden case',
    ]) {
      expect(found.some((finding) => finding.about === about)).toBe(true);
    }
  });

  it('names a wrong score and a changed file, and goes on', async () => {
    const model = await makeGolden('unsound', 0.9);
    await writeFile(join(model.folder, 'weights.safetensors'), 'changed');
    const run = await runInProcess(['doctor', '--model', model.folder, '--json']);
    const faults = findings(run.stdout).filter(({ state }) => state === 'fault');
    expect(faults.map(({ about, code }) => [about, code])).toEqual([
      ['weights.safetensors', 'E_WEIGHTS_HASH'],
      ['golden case', 'E_INTERNAL'],
    ]);
    expect(run.code).toBe(4);
  });

  it('says what to do without an engine, and still checks the model', async () => {
    const model = await makeGolden('no engine', 0.2);
    const loadAddon = async () => {
      throw new CraneError('E_ADDON_NOT_BUILT', 'not built', { hint: 'npx crane-native build' });
    };
    const run = await runInProcess(['doctor', '--model', model.folder], { loadAddon });
    expect(run.code).toBe(5);
    expect(run.stdout).toMatch(/fault +native engine +not built\n +npx crane-native build/);
    expect(run.stdout).toMatch(/ok +weights\.safetensors/);
  });
});
