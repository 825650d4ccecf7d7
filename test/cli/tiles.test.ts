/** A picture in tiles: how far it is, counted by the engine itself. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { root, run, samples } from './crane-native.js';

it('tells of its tiles as they are done, the last one last, and scores as without a listener', async () => {
  const program = `
    const { loadEngine } = await import(${JSON.stringify(pathToFileURL(join(root, 'dist', 'index.js')).href)});
    const engine = await loadEngine({ fit: 'tile', size: 56, startCache: false });
    const picture = ${JSON.stringify(join(samples, 'bsdata-pitting-p00.jpg'))};
    const told = [];
    const one = await engine.score(picture, { onProgress: (progress) => told.push(progress) });
    const quiet = await engine.score(picture);
    console.log(JSON.stringify({ told, scores: [one.score, quiet.score], sides: [one.width, one.height] }));
    await engine.dispose();`;
  const { code, stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program]);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^$|W_MANY_TILES/)]);
  const { told, scores, sides } = JSON.parse(stdout) as {
    told: { input: string; done: number; total: number }[];
    scores: number[];
    sides: number[];
  };
  const [across, down] = sides.map((side) => 1 + Math.ceil((side - 56) / 42));
  const done = told.map((each) => each.done);
  expect(done).toEqual([...new Set(done)].sort((a, b) => a - b));
  expect(told.at(-1)).toMatchObject({ done: across! * down!, total: across! * down! });
  expect(scores[0]).toBe(scores[1]);
}, 120_000);
