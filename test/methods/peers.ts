/**
 * The peers that `bench --vs authors|batched` times against the authors' numbers too: both writings of every system, with
 * the weights and pictures of the fixtures. What is timed beside ours computes the same.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { MethodOptions, NativeAddon } from '#crane/addon/native.js';
import { defaultMethod, findMethod } from '#crane/methods/registry.js';
import type { RunReport } from '../parity/report/run-report.js';
import type { Case } from './fixture/cases.js';
import { levelsOf, numberIn, settingsOf } from './fixture/readme.js';
import { Subject } from './fixture/subject.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

interface Answer {
  score: number;
  map: number[];
}

/** What the peers are given of a system, and which keys hold the authors' answer. */
interface Peered {
  /** of picture b */
  method(subject: Subject, b: number): MethodOptions;
  /** one picture's draws, where the method has chance */
  draws?(subject: Subject, b: number): object | undefined;
  score: string | undefined;
  map: string;
  /** pictures of the map's key; undefined: all */
  pictures?: number;
  /** [D, 2] instead of [2, D] */
  isTurned?: boolean;
  /** of the tolerance, with its reason in the system's own comparison */
  factor?: number;
}

const levels = (name: string) => (subject: Subject) => ({
  ...defaultMethod(name),
  features: levelsOf(settingsOf(subject)),
});

const peered: Record<string, Peered[]> = {
  winclip: [
    {
      method: (subject) => ({
        ...defaultMethod('winclip'),
        windowSides: [2, 3],
        mapSide: subject.expected('zero.map').shape[1]!,
      }),
      score: 'zero.image_score',
      map: 'zero.map',
    },
  ],
  anovl: [
    {
      method: () => ({ ...defaultMethod('anovl'), adapter: 'none' }),
      score: 'test.image_score',
      map: 'noadapter.map',
      isTurned: true,
    },
    {
      method: () => withNoise(defaultMethod('anovl')),
      draws: (subject, b) => ({
        weight: values(subject, `adapt_text.img${b}.init_weight`),
        bias: values(subject, `adapt_text.img${b}.init_bias`),
        noise: values(subject, `adapt_text.img${b}.noise`),
      }),
      // The optimiser that the code carries on has not begun.
      pictures: 1,
      score: undefined,
      map: 'adapt_text.img0.map',
      isTurned: true,
    },
  ],
  vand: [{ method: levels('vand'), score: 'test.image_score', map: 'test.map', isTurned: true }],
  anomalyclip: [
    {
      method: (subject) => {
        const streams = subject.keys(/^vis\.block\d+\.x_ori\./).map((key) => Number(/\d+/.exec(key)![0]));
        const eAttnLayers = subject.of.backbone.sizes.visionBlocks - Math.min(...streams) + 1;
        return { ...levels('anomalyclip')(subject), eAttnLayers };
      },
      score: 'test.image_score',
      map: 'test.map_sum',
    },
  ],
  adaclip: [
    {
      method: (subject, b) => {
        const clusterLabels = values(subject, `img${b}.hsf_labels`);
        const plain = levels('adaclip')(subject);
        const clusters = numberIn(settingsOf(subject), /(\d+) clusters/);
        const compat = { ...(plain as unknown as { compat: object }).compat, clusterLabels };
        return { ...plain, clusters, clusterPatches: Math.ceil(clusterLabels.length / clusters), compat };
      },
      score: 'test.image_score',
      map: 'test.map',
      // Prompts that round to the other half (systems/adaclip.ts).
      factor: 16,
    },
  ],
};

export async function comparePeers(
  cases: readonly Case[],
  { addon, report, python }: { addon: NativeAddon; report: RunReport; python: string },
): Promise<void> {
  for (const one of cases) {
    const all = peered[one.system];
    if (!all) throw new Error(`no peer computes system "${one.system}"`);
    report.heading(one.name);
    for (const writing of ['authors', 'batched']) {
      await report.case(`${one.name}: ${writing}`, {}, async (caseReport) => {
        const subject = new Subject(one, { addon, report: caseReport });
        try {
          for (const peer of all) await comparePeer(subject, peer, writing, python);
        } finally {
          await subject.dispose();
        }
      });
    }
  }
}

async function comparePeer(subject: Subject, peer: Peered, writing: string, python: string): Promise<void> {
  const count = peer.pictures ?? subject.pictures;
  const pictures = Array.from({ length: count }, (_, b) => ({
    method: peer.method(subject, b),
    draws: peer.draws?.(subject, b),
    values: Array.from(subject.batch('image_u8', [b]).input),
  }));
  const setup = { ...(await setupOf(subject, peer, pictures[0]!.method)), writing };
  const ran = spawnSync(python, [`${root}test/methods/peer_scores.py`, `${root}assets/peers`], {
    input: JSON.stringify({ setup, pictures }),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (ran.status !== 0) throw new Error(`${python}: ${ran.error?.message ?? ran.stderr}`);
  const answers = JSON.parse(ran.stdout) as Answer[];
  const scores = answers.map(({ score }) => score);
  if (peer.score !== undefined) subject.compare(peer.score, scores, peer.factor);
  const maps = answers.flatMap(({ map }) => map);
  subject.compare(peer.map, maps, peer.factor);
}

async function setupOf(subject: Subject, peer: Peered, method: MethodOptions): Promise<object> {
  const { backbone } = findMethod(method.name!);
  const { sizes, patch, heads } = subject.of.backbone;
  const { weights, tokens, trainable } = subject.files;
  return {
    threads: 1,
    precision: 'float32',
    device: 'cpu',
    input: { width: subject.side, height: subject.side },
    vision: {
      width: sizes.vision,
      layers: sizes.visionBlocks,
      mlp: 4 * sizes.vision,
      patch,
      registers: 0,
      patches: (subject.side / patch) ** 2,
    },
    text: { width: sizes.text, layers: sizes.textBlocks },
    heads,
    jointWidth: sizes.joint,
    activation: backbone!.activation,
    positions: backbone!.positions,
    method,
    weights: [weights, tokens],
    learned: trainable === undefined ? [] : [trainable],
    ...(await textsOf(subject, peer, method)),
  };
}

/** The pair of texts, and of AnoVL all sentences; AdaCLIP encodes its own. */
async function textsOf(subject: Subject, { isTurned }: Peered, method: MethodOptions): Promise<object> {
  if (method.name === 'adaclip') {
    const { normal, anomalous } = (await subject.material(method)).texts as Record<string, Int32Array[]>;
    const ids = [...normal!, ...anomalous!].map((of) => [...of, ...Array(77 - of.length).fill(0)]);
    return { sentences: { ids, normal: normal!.length } };
  }
  const pair = values(subject, 'text.features');
  const width = pair.length / 2;
  const texts = isTurned ? pair.map((_, i) => pair[(i % width) * 2 + Math.floor(i / width)]!) : pair;
  if (method.name !== 'anovl') return { texts };
  const engine = await subject.engine('anovl');
  const trace = await engine.traceContext(await subject.material(method), method, undefined);
  const sentenceFeatures = ['normal', 'anomalous'].flatMap((side) =>
    Array.from(trace[`sentences.${side}`]!.data),
  );
  return { texts, sentenceFeatures };
}

function withNoise(method: MethodOptions): MethodOptions {
  return { ...method, compat: { ...(method['compat'] as object), noise: true } };
}

function values(subject: Subject, key: string): number[] {
  return Array.from(subject.expected(key).data, Number);
}
