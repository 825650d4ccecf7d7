/** What a call of the command line loads: a command pays for itself and no other. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { commandNames } from '../../src/cli/commands.js';
import { craneNative, root, samples } from './crane-native.js';

interface Loaded {
  /** yargs, @img/sharp-linux-x64 */
  packages: string[];
  /** of dist: cli/score.js */
  own: string[];
}

async function loadedBy(args: string[]): Promise<Loaded> {
  const folder = await mkdtemp(join(tmpdir(), 'loaded-'));
  try {
    const list = join(folder, 'list');
    const preload = `--import ${join(import.meta.dirname, 'loaded-modules.mjs')}`;
    const run = await craneNative(args, {
      env: { NODE_OPTIONS: preload, LOADED_MODULES: list },
      alone: true,
    });
    expect(run.code, run.stderr).toBe(0);
    const urls = new Set((await readFile(list, 'utf8')).split('\n').filter((url) => url.startsWith('file:')));
    const paths = [...urls].map((url) => relative(root, fileURLToPath(url)));
    const packages = paths.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
    const own = paths.flatMap((path) => /^dist\/(.*)/.exec(path)?.[1] ?? []);
    return { packages: [...new Set(packages)].sort(), own: own.sort() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** yargs and what it stands on. */
const parser = [
  'ansi-styles',
  'cliui',
  'escalade',
  'get-caller-file',
  'get-east-asian-width',
  'wrap-ansi',
  'y18n',
  'yargs',
  'yargs-parser',
];

it('--version loads no command and no options', async () => {
  const { packages, own } = await loadedBy(['--version']);
  expect(packages).toEqual(parser);
  expect(own).toEqual([
    'cli/commands.js',
    'cli/context.js',
    'cli/main.js',
    'cli/old-node.js',
    'cli/output-fault.js',
    'cli/report-error.js',
    'cli/run-cli.js',
    'errors.js',
    'nearest-name.js',
    'terminal/paint.js',
    'terminal/visible.js',
  ]);
});

it('the list of commands loads no package but the parser', async () => {
  const { packages, own } = await loadedBy(['--help']);
  expect(packages).toEqual(parser);
  expect(own).toContain('cli/score.js');
});

it.each(commandNames)(
  'the help of %s loads no package but the parser, no other command and no engine',
  async (name) => {
    const { packages, own } = await loadedBy([name, '--help']);
    expect(packages).toEqual(parser);
    expect(own).toContain(`cli/${name}.js`);
    const others = commandNames.filter((other) => other !== name);
    expect(own.filter((path) => others.some((other) => path === `cli/${other}.js`))).toEqual([]);
    expect(
      own.filter((path) => /^(addon|engine|service|train|evaluate|pages|sinks|libtorch)\//.test(path)),
    ).toEqual([]);
  },
);

it('a score loads what decodes and checks, and neither the service nor a training', async () => {
  const { packages, own } = await loadedBy(['score', join(samples, 'bsdata-good-g00.jpg'), '--threads', '1']);
  expect(packages).toContain('sharp');
  expect(packages).not.toContain('fastify');
  expect(
    packages.filter(
      (name) =>
        !parser.includes(name) &&
        !/^(@img\/|sharp|detect-libc|semver|zod|env-paths|is-safe-filename)/.test(name),
    ),
  ).toEqual([]);
  expect(own.filter((path) => /^(service|train|evaluate|pages|libtorch\/fetch)\//.test(path))).toEqual([]);
}, 60_000);
