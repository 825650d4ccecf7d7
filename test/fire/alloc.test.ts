/**
 * Memory that the engine asks for is refused once, at every one of many numbers, while it scores, learns a bank, reads weights
 * and draws: E_MEMORY or the work as if nothing had been, the engine goes on, and what it scores afterwards has the same bits.
 * Not refused is what libtorch, the libraries of pictures and Node ask for.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { type Finished, inScratch, root, run } from '../cli/crane-native.js';
import { makeNoiseSet, makeTinyModel } from '../cli/tiny-model.js';
import { buildShim, isFull } from './faults.js';

const k_numbers = isFull ? 400 : 24;

interface Told {
  works: number;
  refused: Record<string, number>;
  strange: string[];
}
/** Bugs of the program that the same checks must find. */
const plants = ['a fault without a code', 'an abort', 'other bits'] as const;
type Plant = (typeof plants)[number];

/** @returns what is wrong with how the program ended and with what it told */
function faultOf({ code, signal, stdout, stderr }: Finished): string | undefined {
  if (signal !== null || code !== 0 || stderr !== '') return `${signal} ${code} ${stderr}`;
  const { strange } = JSON.parse(stdout) as Told;
  return strange.length > 0 ? strange.join() : undefined;
}

it('memory that is refused once', async () => {
  const shim = await buildShim();
  await inScratch(async (scratch) => {
    const model = await makeTinyModel(join(scratch, 'model'));
    const data = await makeNoiseSet(join(scratch, 'noise'), 2);
    const picture = join(data, 'part', 'test', 'good', '0.png');
    const program = join(scratch, 'driver.mjs');
    const driven = async (numbers: number, plant?: Plant) => {
      await writeFile(program, driver(model, picture, scratch, numbers, plant));
      return run(process.execPath, [program], {
        env: shim.env({ folder: scratch, calls: ['alloc'], at: 0, what: 'ENOMEM' }),
      });
    };
    const finished = await driven(k_numbers);
    expect(faultOf(finished)).toBe(undefined);
    const told = JSON.parse(finished.stdout) as Told;
    expect(told.refused['E_MEMORY']).toBeGreaterThan(told.works * 4);
    console.log(`${told.works} works, each with ${k_numbers} numbers: ${JSON.stringify(told.refused)}`);
    for (const plant of plants) expect(faultOf(await driven(4, plant)), plant).toBeDefined();
  });
  await shim.remove();
}, 1_800_000);

/** The program under the shim; renaming steers it (faults.cpp). */
function driver(model: string, picture: string, scratch: string, numbers: number, plant?: Plant): string {
  return `
    import { renameSync } from 'node:fs';
    import { loadEngine } from ${JSON.stringify(pathToFileURL(join(root, 'dist', 'index.js')).href)};
    const [model, picture, scratch, plant] = ${JSON.stringify([model, picture, scratch, plant])};
    const refuseAt = (number) => renameSync('/crane-fire/at/' + number, '/none');
    const engine = await loadEngine({ model, threads: 1, startCache: false });
    const { addon } = engine;
    const map = new Float32Array(256).map((_, i) => i % 7);
    const sound = await engine.score(picture, { map: true });
    const works = {
      score: () => engine.score(picture, { map: true, regions: true }),
      learn: async () => (await engine.learnNormals([picture], { turns: 2 })).save(scratch + '/bank', { overwrite: true }),
      inspect: () => addon.inspectWeights(model + '/clip.safetensors'),
      read: () => addon.readTensor(model + '/prompts.safetensors', 'ctx_pos').catch((error) => { if (error.code === 'E_MEMORY') throw error; }),
      resize: () => addon.resizeMap(map, 16, 16, 200, 300),
    };
    const refused = {};
    const strange = [];
    for (const [name, work] of Object.entries(works)) {
      await work();
      for (let number = 1; number <= ${numbers}; number++) {
        refuseAt(number);
        let outcome = 'done';
        try { await work(); } catch (error) { outcome = error.code ?? String(error); }
        if (outcome === 'E_MEMORY' && plant === 'an abort') process.abort();
        if (outcome === 'E_MEMORY' && plant === 'a fault without a code') outcome = 'TypeError';
        refuseAt(0);
        refused[outcome] = (refused[outcome] ?? 0) + 1;
        if (outcome !== 'done' && outcome !== 'E_MEMORY') strange.push(name + ' ' + number + ': ' + outcome);
      }
    }
    const after = await engine.score(picture, { map: true });
    if (plant === 'other bits') after.map.data[0] += 1e-6;
    if (after.score !== sound.score || Buffer.compare(Buffer.from(after.map.data.buffer), Buffer.from(sound.map.data.buffer)) !== 0)
      strange.push('the score has other bits');
    await engine.dispose();
    console.log(JSON.stringify({ works: Object.keys(works).length, refused, strange }));`;
}
