/** `test --methods` on the toy backbone: one table, one page; gone on with to the same bytes. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { craneNative, inScratch } from './crane-native.js';
import { makeNoiseSet } from './tiny-model.js';

it('tests methods one after the other, and their maps stand side by side', async () => {
  await inScratch(async (folder) => {
    const model = join(folder, 'toy');
    const made = await craneNative(['weights', 'synth', 'toy-backbone', '--out', model]);
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('its figures mean nothing') });
    const data = await makeNoiseSet(join(folder, 'noise'), 4);
    const out = join(folder, 'out');
    const args = (methods: string) =>
      ['test', data, '--model', model, '--methods', methods].concat(
        ['--size', '56', '--out', out],
        ['--bootstrap', '10'],
      );
    const first = await craneNative(args('crane,winclip'));
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/noise +winclip/) });
    const page = await readFile(join(out, 'report.html'), 'utf8');
    // one normal and two anomalous pictures: each with its own picture and two maps
    expect(page.match(/alt="map of [^"]* by winclip"/g)).toHaveLength(3);
    expect(page.match(/alt="map of [^"]* by crane"/g)).toHaveLength(3);
    expect(page).toContain('winclip 0 to 0.5');

    await rm(join(out, 'report.html'));
    await rm(join(out, 'cells', 'method=winclip'), { recursive: true });
    const again = await craneNative([...args('crane,winclip'), '--resume']);
    expect(again).toMatchObject({ code: 0 });
    expect(await readFile(join(out, 'report.html'), 'utf8')).toBe(page);

    const good = ['--normals-from', join(data, 'part', 'test', 'good')];
    const beside = await craneNative([
      ...args('crane,winclip,normals'),
      ...good,
      '--out',
      join(folder, 'few'),
    ]);
    expect(beside).toMatchObject({ code: 0 });
    expect(beside.stderr).toContain('with the normal pictures: winclip, normals');
    expect(beside.stderr).toContain('without them: crane');
    const runOf = async (at: string, method: string) =>
      JSON.parse(await readFile(join(folder, at, 'cells', `method=${method}`, 'results.json'), 'utf8'));
    expect((await runOf('few', 'winclip')).settings.normals.pictures).toHaveLength(2);
    expect((await runOf('few', 'crane')).settings.normals).toBeUndefined();
    expect((await runOf('out', 'winclip')).settings.normals).toBeUndefined();
    const none = await craneNative([...args('crane'), ...good, '--out', join(folder, 'none')]);
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('compares with normal pictures: crane'),
    });

    const refused = await craneNative([...args('winclip'), '--method', 'crane']);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('does not go with --method') });
  });
}, 240_000);

it('tests the seven systems with sets that train kept, and a killed test goes on to the same page', async () => {
  await inScratch(async (folder) => {
    const model = join(folder, 'toy');
    await craneNative(['weights', 'synth', 'toy-backbone', '--out', model]);
    const data = await makeNoiseSet(join(folder, 'noise'), 4);
    const common = ['--model', model, '--size', '56', '--features', '4,6,9'];
    const learned: [string, string[]][] = [
      ['vand', []],
      ['anomalyclip', ['--e-attn-layers', '6', '--deep-blocks', '3']],
      ['adaclip', []],
    ];
    for (const [method, more] of learned) {
      const args = ['train', data, ...common, '--method', method, ...more, '--epochs', '1'];
      const kept = [
        '--out',
        join(folder, method),
        '--cache',
        join(folder, 'cache'),
        '--keep-as',
        `toy-${method}`,
      ];
      const finished = await craneNative([...args, ...kept]);
      expect(finished).toMatchObject({ code: 0, stderr: expect.stringContaining(`set "toy-${method}"`) });
    }
    const test = (out: string) => [
      ...['test', data, ...common, '--methods', 'all', '--e-attn-layers', '6', '--compare-paper'],
      ...['--bootstrap', '10', '--out', join(folder, out)],
    ];
    const killed = await craneNative(test('killed'), { killAt: /4\/7/ });
    expect(killed).toMatchObject({ signal: 'SIGKILL' });
    const resumed = await craneNative([...test('killed'), '--resume']);
    expect(resumed).toMatchObject({ code: 0 });
    const whole = await craneNative(test('whole'));
    expect(whole).toMatchObject({ code: 0, stderr: expect.stringContaining('normals is left out') });
    expect(resumed.stdout).toBe(whole.stdout);
    for (const name of ['report.html', 'grid.json', 'grid.csv']) {
      const [one, other] = await Promise.all(
        ['killed', 'whole'].map((out) => readFile(join(folder, out, name), 'utf8')),
      );
      expect(one).toBe(other);
    }
    const page = await readFile(join(folder, 'whole', 'report.html'), 'utf8');
    for (const label of ['crane', 'crane\\+', 'winclip', 'anovl', 'vand', 'anomalyclip', 'adaclip'])
      expect(page.match(new RegExp(`alt="map of [^"]* by ${label}"`, 'g'))).toHaveLength(3);
    const idle = await craneNative([
      'test',
      data,
      ...common,
      '--methods',
      'winclip',
      '--out',
      join(folder, 'idle'),
    ]);
    expect(idle).toMatchObject({ code: 2, stderr: expect.stringContaining('has a setting "features"') });
    const again = await craneNative([
      ...[
        'train',
        data,
        ...common,
        '--method',
        'vand',
        '--out',
        join(folder, 'again'),
        '--keep-as',
        'toy-vand',
      ],
    ]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('E_EXISTS') });
    const packaged = await craneNative(['train', data, '--out', join(folder, 'p'), '--keep-as', 'mine']);
    expect(packaged).toMatchObject({ code: 2, stderr: expect.stringContaining('came with the package') });
  });
}, 600_000);
