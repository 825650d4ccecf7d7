/** Scores two pictures with the toy through the library: `node library.mjs MODEL PICTURE PICTURE`, one JSON line. */
import { addMethod } from '../../dist/methods/registry.js';
import { toy } from './toy.mjs';

addMethod(toy);
const { loadEngine } = await import('../../dist/index.js');
const [model, ...pictures] = process.argv.slice(2);
const engine = await loadEngine({ model, method: 'toy' });
const scores = [];
for await (const result of engine.scoreMany(pictures, { toyScale: 2 })) scores.push(result.score);
const refusals = [];
for (const options of [{ eAttn: 'vv' }, { imageScore: 'fused' }, { toyScale: 101 }, { method: 'tyo' }])
  refusals.push(
    await engine.score(pictures[0], options).then(
      () => 'none',
      ({ code }) => code,
    ),
  );
await engine.dispose();
process.stdout.write(`${JSON.stringify({ scores, refusals })}\n`);
