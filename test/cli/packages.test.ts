/** The two packages made from this tree (docs/packages.md): what a service loads, and what each names as its dependencies. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { closure, engineFiles } from '../../scripts/engine-files.mjs';
import { inScratch, root, run } from './crane-native.js';

const readJson = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const whole = readJson('package.json');
const engine = readJson('packages/engine/package.json');
/** Asked for by cmake-js and CMakeLists.txt, and only when the addon is compiled. */
const buildPackages = ['cmake-js', 'node-addon-api', 'node-api-headers'];

it('no package has a binding.gyp, which npm would tell as the install script of a second install', () => {
  for (const path of ['package.json', 'scripts/pack-engine.mjs'])
    expect(readFileSync(join(root, path), 'utf8')).not.toContain('binding.gyp');
});

describe('the library', () => {
  it('loads the decoder and the checker of model.json, and no package of a door', () => {
    const { packages, files } = closure(root, ['dist/index.js'], 'static');
    expect([...packages.keys()].sort()).toEqual(['sharp', 'zod']);
    expect(files.length).toBeGreaterThan(100);
  });

  it('scores without any package that the engine package leaves out', async () => {
    // A hook that knows none of them, as where they are not installed.
    const left = JSON.stringify(Object.keys(engine.peerDependencies));
    const hooks = `export async function resolve(name, context, next) {
      if (${left}.some((left) => name === left || name.startsWith(left + '/')))
        throw Object.assign(new Error("Cannot find package '" + name + "' imported from " + context.parentURL), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    }`;
    await inScratch(async (folder) => {
      const at = (name: string) => join(folder, name);
      writeFileSync(at('hooks.mjs'), hooks);
      writeFileSync(
        at('register.mjs'),
        `import { register } from 'node:module'; register(${JSON.stringify(pathToFileURL(at('hooks.mjs')).href)});`,
      );
      mkdirSync(at('visa/split_csv'), { recursive: true });
      writeFileSync(at('visa/split_csv/1cls.csv'), 'object,split,label,image,mask\n');
      writeFileSync(
        at('use.mjs'),
        `import { createTrainer, evaluateDataSets, loadEngine, openDataSet } from ${JSON.stringify(
          pathToFileURL(join(root, 'dist', 'index.js')).href,
        )};
        const engine = await loadEngine({ threads: 1 });
        const { score } = await engine.score({ data: new Uint8Array(192), width: 8, height: 8, channels: 3 });
        const failed = async (work) => work.then(() => 'did it', ({ code, message, hint }) => [code, message, hint].join(' | '));
        console.log(JSON.stringify({
          score,
          train: await failed(createTrainer({ engine, data: 'none', out: 'out' })),
          test: await failed(evaluateDataSets({ engine, data: 'none', out: 'out' })),
          visa: await failed(openDataSet('visa')),
        }));
        await engine.dispose();`,
      );
      const args = ['--import', pathToFileURL(at('register.mjs')).href, at('use.mjs')];
      const { stdout, stderr } = await run(process.execPath, args, { cwd: folder });
      const told = JSON.parse(stdout || JSON.stringify({ stderr }));
      expect(told.score, stderr).toBeGreaterThan(0);
      expect(told.train).toBe(
        'E_DEPENDENCY | learning prompts needs the package "d3-scale", not installed here | ' +
          `npm install d3-scale@${whole.dependencies['d3-scale']}, or take the package crane-native, which brings everything`,
      );
      expect(told.test).toMatch(
        /^E_DEPENDENCY \| writing the tables of a test needs the packages "cli-table3", "csv-stringify"/,
      );
      expect(told.visa).toMatch(/^E_DEPENDENCY \| reading .*1cls.csv needs the package "csv-parse"/);
    });
  }, 60_000);
});

describe('crane-native-engine', () => {
  it('names every package that its files ask for, and no other', () => {
    const asked = [...engineFiles(root).packages.keys(), ...buildPackages].sort();
    const named = [...Object.keys(engine.dependencies), ...Object.keys(engine.peerDependencies)].sort();
    expect(named).toEqual(asked);
    expect(Object.keys(engine.peerDependenciesMeta).sort()).toEqual(
      Object.keys(engine.peerDependencies).sort(),
    );
    expect(Object.values(engine.peerDependenciesMeta)).toEqual(
      Object.keys(engine.peerDependencies).map(() => ({ optional: true })),
    );
  });

  it('has no file of the doors', () => {
    const { files } = engineFiles(root);
    expect(files).toContain('dist/index.d.ts');
    expect(files.filter((file) => /^dist\/(cli|bench|scoring)\//.test(file))).toEqual([]);
  });

  it('agrees with crane-native in versions, entries and needs', () => {
    for (const [name, version] of Object.entries({ ...engine.dependencies, ...engine.peerDependencies }))
      expect([name, version]).toEqual([name, whole.dependencies[name] ?? whole.peerDependencies[name]]);
    for (const field of ['version', 'license', 'type', 'engines', 'os', 'exports', 'main', 'types', 'binary'])
      expect([field, engine[field]]).toEqual([field, whole[field]]);
    expect(engine.bin).toBeUndefined();
  });
});
