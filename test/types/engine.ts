/** What a service writes: loading an engine and scoring. Every wrong line must stay wrong. */
import {
  AnomalyMap,
  CraneError,
  type Engine,
  type ErrorCode,
  type FailedPicture,
  isFailed,
  loadEngine,
  type PictureInput,
  type PictureItem,
  type PictureScore,
  type PreprocessedScore,
  type QueueState,
  type Region,
  type ScoreOutcome,
} from 'crane-native';
import { same } from './same.js';

await using engine: Engine = await loadEngine();
await loadEngine({
  model: 'crane-mini',
  device: 'cpu',
  threads: 2,
  precision: 'float32',
  size: { width: 448, height: 448 },
});
await loadEngine({ threshold: null, compat: { exif: false }, signal: new AbortController().signal });
await loadEngine({
  onWarning: ({ code, message }) =>
    same<
      [typeof code, typeof message],
      [
        (
          | 'W_SMALLER_BATCH'
          | 'W_PROMPT_TOKENS'
          | 'W_MANY_TILES'
          | 'W_NORMALS_TURNED'
          | 'W_RATE_APPROXIMATE'
          | 'W_NORMALS_COPIES'
        ),
        string,
      ]
    >(true),
});

// @ts-expect-error a misspelled option
await loadEngine({ modle: 'crane-mini' });
// @ts-expect-error no such precision
await loadEngine({ precision: 'int4' });
// @ts-expect-error threads are counted
await loadEngine({ threads: '2' });
// @ts-expect-error a size has two sides
await loadEngine({ size: { width: 448 } });
// @ts-expect-error no such kind of E-Attn
await loadEngine({ eAttn: 'kv' });
// @ts-expect-error no such switch
await loadEngine({ compat: { nan: true } });
// @ts-expect-error an engine is loaded, not constructed
new Engine({});

const inputs: PictureInput[] = [
  'a.png',
  new URL('file:///a.png'),
  new Uint8Array(8),
  Buffer.alloc(8),
  new ArrayBuffer(8),
  { data: new Uint8Array(12), width: 2, height: 2, channels: 3 },
];
const result: PictureScore = await engine.score(inputs[0]!, { map: true, regions: true, prompts: 'default' });
same<typeof result.score, number>(true);
same<typeof result.anomalous, boolean | null>(true);
same<typeof result.threshold, number | null>(true);
same<typeof result.map, AnomalyMap | undefined>(true);
same<typeof result.mapMax, number | undefined>(true);
same<typeof result.regions, Region[] | null | undefined>(true);

await engine.score('a.png', { priority: 1, deadlineMs: 500 });
same<QueueState, typeof engine.queue>(true);
same<QueueState['retryAfterMs'], number | null>(true);

// @ts-expect-error a priority is a number
await engine.score('a.png', { priority: 'high' });
// @ts-expect-error a picture is wanted
await engine.score();
// @ts-expect-error not a number
await engine.score(1);
// @ts-expect-error pixels need their sides
await engine.score({ data: new Uint8Array(12) });
// @ts-expect-error one picture has no batch
await engine.score('a.png', { batch: 4 });
// @ts-expect-error the device is the engine's, not the call's
await engine.score('a.png', { device: 'cuda' });
// @ts-expect-error a map may be missing
result.map.width;
// @ts-expect-error facts are not changed
engine.facts = { ...engine.facts };

const item: PictureItem = { input: 'a.png', name: 'a', threshold: 0.5 };
for await (const outcome of engine.scoreMany(['a.png', item, new Uint8Array(8)], {
  batch: 'auto',
  ordered: false,
})) {
  same<typeof outcome, ScoreOutcome>(true);
  if (isFailed(outcome)) {
    same<typeof outcome, FailedPicture>(true);
    same<typeof outcome.error.code, ErrorCode>(true);
    // @ts-expect-error a failed picture has no score
    outcome.score;
  } else {
    same<typeof outcome, PictureScore>(true);
  }
  // @ts-expect-error a score only where nothing failed
  outcome.score;
}
async function* stream(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(8);
}
engine.scoreMany(stream());
// @ts-expect-error a list or a stream, not one picture
engine.scoreMany(new URL('file:///a.png'));
// @ts-expect-error one path, whose letters would be paths
engine.scoreMany('a.png');
// @ts-expect-error the bytes of one picture
engine.scoreMany(new Uint8Array(8));
engine.scoreMany(new Set(['a.png', 'b.png']));
engine.scoreMany(new Map<string, PictureItem>().values());
// @ts-expect-error batches are counted
engine.scoreMany(['a.png'], { batch: 'all' });

const scores: PreprocessedScore[] = await engine.scorePreprocessed(new Float32Array(3), {
  batch: 1,
  size: 448,
});
same<(typeof scores)[number]['map'], AnomalyMap | undefined>(true);
// @ts-expect-error the shape must be told
await engine.scorePreprocessed(new Float32Array(3));
// @ts-expect-error float32 is wanted
await engine.scorePreprocessed(new Uint8Array(3), { batch: 1, size: 448 });

const map = result.map!;
same<typeof map.data, Float32Array>(true);
const resized: AnomalyMap = await map.resizeTo(10, 10);
const png: Buffer = await resized.toPng();
// @ts-expect-error maps come from an engine with their size
new AnomalyMap();
// @ts-expect-error both sides
await map.resizeTo(10);
png.byteLength;

try {
  await engine.dispose();
} catch (thrown) {
  if (thrown instanceof CraneError) {
    same<typeof thrown.code, ErrorCode>(true);
    same<typeof thrown.hint, string | undefined>(true);
    // @ts-expect-error no such code
    if (thrown.code === 'E_NO_SUCH_CODE') throw thrown;
  }
}
