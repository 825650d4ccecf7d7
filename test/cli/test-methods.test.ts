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

    const refused = await craneNative([...args('winclip'), '--method', 'crane']);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('does not go with --method') });
  });
}, 240_000);
