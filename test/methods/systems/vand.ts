/** VAND: ensemble, block tokens, heads and maps, the memory of normal pictures, two steps of training. */
import { defaultMethod } from '#crane/methods/registry.js';
import type { VandOptions } from '#crane/methods/vand.js';
import { compareLearned, learn, partOf, startOf } from '../fixture/learning.js';
import { levelsOf, settingsOf } from '../fixture/readme.js';
import type { Subject } from '../fixture/subject.js';
import type { System } from '../system.js';

export const vand: System = {
  name: 'vand',
  async compare(subject) {
    const method: VandOptions = {
      ...(defaultMethod('vand') as VandOptions),
      features: levelsOf(settingsOf(subject)),
    };
    const engine = await subject.engine('vand');
    const material = await subject.material(method);

    const text = await engine.traceContext(material, method, undefined);
    const sentences = [...material.texts['normal']!, ...material.texts['anomalous']!];
    const example = Array.from(subject.expected('text.example_ids').data, Number).join();
    const at = sentences.findIndex((ids) => Array.from(ids).join() === example);
    subject.compare('text.example_ids', Array.from(sentences[Math.max(at, 0)]!));
    subject.compare('text.example_raw', partOf(text['features_raw'], Math.max(at, 0), sentences.length));

    const { input, shape } = subject.batch();
    const context = await engine.addContext(material, method);
    const vectors = await engine.textVectors(context);
    const width = vectors.length / 2;
    const columns = Array.from({ length: 2 * width }, (_, i) => vectors[(i % 2) * width + (i >> 1)]!);
    subject.compare('text.features', { shape: [width, 2], data: columns });

    const trace = await engine.trace(input, shape, context, method);
    const levels = method.features.length;
    const byLevel = (key: string, stage: (typeof trace)[string] | undefined) => {
      for (let level = 0; level < levels; level++)
        for (let b = 0; b < shape.batch; b++)
          subject.compare(`${key}${level}.img${b}`, partOf(stage, b * levels + level, shape.batch * levels));
    };
    byLevel('test.logits_level', trace['logits']);
    subject.compare('vis.pos_resized', partOf(trace['vis.positions'], 0, shape.batch));
    subject.compare('vis.cls', trace['vis.cls']);
    for (const key of subject.keys(/^vis\.block_tokens_level/)) {
      const [, level, picture] = /(\d+)\.img(\d+)$/.exec(key)!;
      const block = String(method.features[Number(level)]).padStart(2, '0');
      subject.compare(key, partOf(trace[`vis.block${block}`], Number(picture), shape.batch));
    }
    const zero = await engine.scorePreprocessed(input, shape, context, method, true);
    subject.compare(
      'test.image_score',
      zero.map(({ score }) => score),
    );
    subject.compare(
      'test.map',
      zero.flatMap(({ map }) => Array.from(map!.data)),
    );

    // The code's own scaling, over the two pictures.
    const few: VandOptions = { ...method, compat: { ...method.compat, classMinMax: true } };
    const memory = await engine.addContext({ ...material, normals: subject.rgb('reference_u8') }, few);
    byLevel('few.dist_level', (await engine.trace(input, shape, memory, few))['distances']);
    const scaled = await engine.scorePreprocessed(input, shape, memory, few, true);
    subject.compare(
      'few.image_score_two_image_set',
      scaled.map(({ score }) => score),
    );
    subject.compare(
      'few.map_total',
      scaled.flatMap(({ map }) => Array.from(map!.data)),
    );

    await compareTraining(subject, engine, method, startOf(subject, material));
  },
};

async function compareTraining(
  subject: Subject,
  engine: Awaited<ReturnType<Subject['engine']>>,
  method: VandOptions,
  start: ReturnType<typeof startOf>,
): Promise<void> {
  const everyone = Array.from({ length: subject.pictures }, (_, b) => b);
  const steps = subject.keys(/^train\.step\d+\.loss$/).length;
  const learned = await learn(subject, engine, { start, method }, Array(steps).fill(everyone));
  for (const [at, { losses, stages }] of learned.entries()) {
    subject.compare(`train.step${at + 1}.loss`, [losses.total]);
    subject.compare(`train.step${at + 1}.parts`, stages['loss_parts']);
  }
  compareLearned(subject, learned);
  const [alone] = await learn(subject, engine, { start, method }, [[0]]);
  subject.compare('train.batch1.parts', alone!.stages['loss_parts']);
}
