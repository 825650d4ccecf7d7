/** How the compute threads wait: OpenMP tells what it was opened with, and nothing of it stays in the environment. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, run } from './crane-native.js';

const script = `
  const { loadAddon } = await import(${JSON.stringify(join(root, 'dist', 'addon', 'load-addon.js'))});
  const { execFileSync } = await import('node:child_process');
  const { addon } = await loadAddon();
  await addon.info();
  const own = Object.keys(process.env).filter((name) => /^(OMP|GOMP)_/.test(name));
  const ofChild = execFileSync('env', { encoding: 'utf8' }).split('\\n').filter((line) => /^(OMP|GOMP)_/.test(line));
  console.log(JSON.stringify({ own, ofChild: ofChild.map((line) => line.split('=')[0]), path: process.env.PATH }));`;

/** Loads the engine in a process of its own; OpenMP prints its settings while it is opened. */
async function opened(settings: Record<string, string>) {
  const free = { OMP_WAIT_POLICY: undefined, GOMP_SPINCOUNT: undefined, KMP_BLOCKTIME: undefined };
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...free, OMP_DISPLAY_ENV: 'verbose', ...settings },
  });
  const setting = (name: string) => new RegExp(`\\b${name} = '([^']*)'`).exec(stderr)?.[1];
  const { own, ofChild, path } = JSON.parse(stdout) as { own: string[]; ofChild: string[]; path: string };
  return { policy: setting('OMP_WAIT_POLICY'), spins: setting('GOMP_SPINCOUNT'), own, ofChild, path };
}

describe('compute threads', () => {
  it('wait without spinning unless the environment says how they shall', async () => {
    expect(await opened({})).toEqual({
      policy: 'PASSIVE',
      spins: '0',
      own: ['OMP_DISPLAY_ENV'],
      ofChild: ['OMP_DISPLAY_ENV'],
      path: process.env['PATH'],
    });
  });

  it('wait as OMP_WAIT_POLICY or GOMP_SPINCOUNT say', async () => {
    const { policy, spins } = await opened({ OMP_WAIT_POLICY: 'active' });
    expect({ policy, spins: Number(spins) > 1e6 }).toEqual({ policy: 'ACTIVE', spins: true });
    expect((await opened({ GOMP_SPINCOUNT: '77' })).spins).toBe('77');
  });
});
