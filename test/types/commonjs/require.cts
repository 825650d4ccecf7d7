/** A CommonJS program, compiled where ES modules cannot be required: every name and type is there, and is the same. */
import craneNative = require('crane-native');

import {
  AnomalyMap,
  CraneError,
  type Engine,
  isFailed,
  loadEngine,
  NormalBank,
  type PictureScore,
  type TestRun,
} from 'crane-native';
import type * as library from '../../../dist/index.js' with { 'resolution-mode': 'import' };

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_Is extends true>(): void {}

holds<Same<keyof typeof craneNative, keyof typeof library>>();
// @ts-expect-error the two above are really compared
holds<Same<keyof typeof craneNative, 'loadEngine'>>();
holds<Same<typeof loadEngine, typeof library.loadEngine>>();
holds<Same<typeof craneNative.NormalBank, typeof library.NormalBank>>();
holds<Same<PictureScore, library.PictureScore>>();
holds<Same<TestRun, library.TestRun>>();
holds<Same<NormalBank, library.NormalBank>>();
holds<Same<CraneError, library.CraneError>>();

async function main(): Promise<void> {
  const engine: Engine = await loadEngine({ threads: 1 });
  const { map, score } = await engine.score('a.png', { map: true });
  const same: AnomalyMap | undefined = map;
  for await (const outcome of engine.scoreMany(['a.png'])) if (isFailed(outcome)) outcome.error.code;
  const { classes } = await craneNative.metrics.evaluate({ pictures: [] });
  // @ts-expect-error a misspelled option
  await loadEngine({ modle: 'crane-mini' });
  // @ts-expect-error no such name
  craneNative.loadModel;
  console.log(
    score,
    same instanceof AnomalyMap,
    classes,
    new CraneError('E_USAGE', 'x').code,
    map instanceof NormalBank,
  );
}
main();
