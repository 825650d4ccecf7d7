/**
 * The data tests: every picture of every set of a folder (CRANE_DATA, default test/data) through the library with
 * crane-mini; then each set in its turn is tested with prompts learned on all the others. Call: node main.js. The last line
 * is "N passed, N failed" (sets, counted once for each of the two); exit code 1 on failure.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEngine } from '#crane/index.js';
import { checkSet } from './check-set.js';
import { testLeftOut } from './left-out.js';
import { findSets } from './sets.js';

const shippedSets = fileURLToPath(new URL('../../../../test/data', import.meta.url));

const root = resolve(process.env['CRANE_DATA'] || shippedSets);
const sets = findSets(root);
if (sets.length === 0)
  throw new Error(`${root}: no folder with a meta.json. Set CRANE_DATA to a folder of data sets.`);

const engine = await loadEngine({ model: 'crane-mini' });
let failed = 0;
let passed = 0;
const scratch = await mkdtemp(join(tmpdir(), 'crane-data-'));
try {
  for (const set of sets) {
    const { faults, pictures, seconds, areaUnderCurve } = await checkSet(engine, set);
    const figure = areaUnderCurve === undefined ? 'n/a (one label only)' : areaUnderCurve.toFixed(3);
    console.log(
      `${set.name}  ${faults.length === 0 ? 'pass' : 'FAIL'}  ${pictures} pictures, each alone and in batches, ` +
        `${seconds.toFixed(1)} s; image AUROC ${figure} (information only)`,
    );
    for (const fault of faults) console.log(`    ${fault}`);
    if (faults.length > 0) failed++;
    else passed++;
  }
  for (const set of sets.length > 1 ? sets : []) {
    const others = sets.filter((other) => other !== set);
    const { faults, seconds, figures } = await testLeftOut(engine, set, others, scratch);
    console.log(
      `${set.name}  ${faults.length === 0 ? 'pass' : 'FAIL'}  learned on ${others.map(({ name }) => name).join(', ')}; ` +
        `${seconds.toFixed(1)} s; ${figures} (information only)`,
    );
    for (const fault of faults) console.log(`    ${fault}`);
    if (faults.length > 0) failed++;
    else passed++;
  }
} finally {
  await engine.dispose();
  await rm(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
