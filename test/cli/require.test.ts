/** `require('crane-native')` gives what `import` gives, also where a test runner has put its own globals in the way. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { root, run } from './crane-native.js';

const entry = join(root, 'commonjs', 'index.cjs');

describe('require', () => {
  it('gives the same objects as import', async () => {
    const script = `
      const required = require(${JSON.stringify(entry)});
      import(${JSON.stringify(join(root, 'dist', 'index.js'))}).then((imported) => {
        const names = Object.keys(imported);
        const isSame = names.every((name) => required[name] === imported[name]);
        console.log(isSame && Object.keys(required).length === names.length ? names.length : 'differ');
      });`;
    const { stdout, stderr } = await run(process.execPath, ['-e', script]);
    expect(Number(stdout), stderr).toBeGreaterThan(10);
  });

  it('scores', async () => {
    const script = `
      const { loadEngine } = require(${JSON.stringify(entry)});
      loadEngine({ threads: 1 })
        .then((engine) => engine.score({ data: new Uint8Array(192), width: 8, height: 8, channels: 3 }))
        .then(({ score }) => console.log(score));`;
    const { stdout, stderr } = await run(process.execPath, ['-e', script]);
    expect(Number(stdout), stderr).toBeGreaterThan(0);
  }, 30_000);

  it('works under a global object of its own, a require and a process that load no ES modules', () => {
    const cannot = () => {
      throw new Error('Must use import to load ES Module');
    };
    const loaded = { exports: {} as Record<string, unknown> };
    const body = runInNewContext(
      `(function (module, require, __filename) {${readFileSync(entry, 'utf8')}\n})`,
      {
        URL: createRequire(entry)('node:url').URL,
        process: { getBuiltinModule: () => ({ createRequire: () => cannot }) },
      },
    );
    body(loaded, cannot, entry);
    expect(Object.keys(loaded.exports)).toContain('loadEngine');
    // It can be replaced, as tests like to.
    loaded.exports['loadEngine'] = cannot;
    expect(loaded.exports['loadEngine']).toBe(cannot);
  });
});
