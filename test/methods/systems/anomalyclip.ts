/** AnomalyCLIP: text and vision stages, scores of several levels and of the last, two steps of training. */
import type { AnomalyClipOptions } from '#crane/methods/anomalyclip.js';
import { defaultMethod } from '#crane/methods/registry.js';
import { tokenize } from '#crane/text/tokenizer.js';
import { compareLearned, learn, partOf, startOf } from '../fixture/learning.js';
import { levelsOf, settingsOf } from '../fixture/readme.js';
import type { Subject } from '../fixture/subject.js';
import type { System } from '../system.js';

export const anomalyclip: System = {
  name: 'anomalyclip',
  async compare(subject) {
    const method = methodOf(subject);
    const engine = await subject.engine('anomalyclip');
    const rows = subject.trainable.shape('ctx_pos').at(-2)!;
    const sentences = ['object.', 'damaged object.'].map((text) => 'X '.repeat(rows) + text);
    const ids = await Promise.all(sentences.map(async (text) => (await tokenize(text)).ids));
    subject.compare(
      'text.token_ids',
      ids.flatMap((of) => Array.from(of)),
    );
    const plain = await subject.material(method);
    const material = { ...plain, texts: { normal: [ids[0]!], anomalous: [ids[1]!] } };

    const text = await engine.traceContext(material, method, undefined);
    subject.compare('text.features_raw', text['features_raw']?.data);
    subject.compare('text.features', text['features_norm']?.data);

    const { input, shape } = subject.batch();
    const context = await engine.addContext(material, method);
    const trace = await engine.trace(input, shape, context, method);
    const levels = method.features.length;
    for (let level = 0; level < levels; level++) {
      subject.compare(`vis.patch_level${level}`, trace[`vis.patch_level${level}`]);
      for (let b = 0; b < shape.batch; b++) {
        const got = partOf(trace['probabilities'], b * levels + level, shape.batch * levels);
        subject.compare(`test.prob_level${level}.img${b}`, got);
      }
    }
    subject.compare('vis.pos_resized', partOf(trace['vis.positions'], 0, shape.batch));
    subject.compare('vis.ln_pre', trace['vis.ln_pre']);
    subject.compare('vis.cls', trace['vis.cls']);
    for (const key of subject.keys(/^vis\.block\d+\./)) {
      const [, number, stream, picture] = /^vis\.block(\d+)\.(x\w*)\.img(\d+)$/.exec(key)!;
      const block = `vis.block${number!.padStart(2, '0')}`;
      // Before the second stream begins there is one alone.
      const stage = trace[`${block}.${stream}`] ?? trace[block];
      subject.compare(key, partOf(stage, Number(picture), shape.batch));
    }

    const scored = async (changed: AnomalyClipOptions) => {
      const own = await engine.addContext(material, changed);
      return engine.scorePreprocessed(input, shape, own, changed, true);
    };
    const all = await scored(method);
    subject.compare(
      'test.image_score',
      all.map(({ score }) => score),
    );
    subject.compare(
      'test.map_smooth',
      all.flatMap(({ map }) => Array.from(map!.data)),
    );
    const unblurred = await scored({ ...method, sigma: 0 });
    subject.compare(
      'test.map_sum',
      unblurred.flatMap(({ map }) => Array.from(map!.data)),
    );
    const last = await scored({ ...method, features: [engine.facts.vision.layers] });
    subject.compare(
      'only_last_level.image_score',
      last.map(({ score }) => score),
    );
    subject.compare(
      'only_last_level.map_smooth',
      last.flatMap(({ map }) => Array.from(map!.data)),
    );

    const start = startOf(subject, material);
    const everyone = Array.from({ length: shape.batch }, (_, b) => b);
    const steps = subject.keys(/^train\.step\d+\.image_loss$/).length;
    const learned = await learn(subject, engine, { start, method }, Array(steps).fill(everyone));
    for (const [at, { losses, stages }] of learned.entries())
      compareLosses(subject, `train.step${at + 1}`, losses, stages['loss_parts']);
    compareLearned(subject, learned);
    const [alone] = await learn(subject, engine, { start, method }, [[0]]);
    compareLosses(subject, 'train.batch1', alone!.losses, alone!.stages['loss_parts']);
  },
};

function methodOf(subject: Subject): AnomalyClipOptions {
  const method = defaultMethod('anomalyclip') as AnomalyClipOptions;
  // The first block with two streams is the first one that was changed.
  const streams = subject.keys(/^vis\.block\d+\.x_ori\./);
  const first = Math.min(...streams.map((key) => Number(/\d+/.exec(key)![0])));
  const { visionBlocks } = subject.of.backbone.sizes;
  return { ...method, eAttnLayers: visionBlocks - first + 1, features: levelsOf(settingsOf(subject)) };
}

function compareLosses(
  subject: Subject,
  prefix: string,
  losses: { focal: number; dice: number; image: number },
  parts: { shape: number[]; data: ArrayLike<number> } | undefined,
): void {
  subject.compare(`${prefix}.image_loss`, [losses.image]);
  subject.compare(`${prefix}.local_loss`, [losses.focal + losses.dice]);
  subject.compare(`${prefix}.local_parts`, parts);
}
