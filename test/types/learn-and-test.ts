/** Learning, testing, calibrating, data sets and figures as a program uses them. */
import {
  type Calibration,
  calibrate,
  createTrainer,
  type DataSet,
  evaluateDataSets,
  isScored,
  type LearnedPrompts,
  loadEngine,
  mapOf,
  metrics,
  openDataSet,
  type readTestRun,
  type ScoredPicture,
  type TestRun,
  type TrainOutcome,
  type TrainProgress,
} from 'crane-native';
import { same } from './same.js';

const engine = await loadEngine();

await using trainer = await createTrainer({
  engine,
  data: ['mvtec'],
  out: 'run',
  epochs: 5,
  betas: [0.6, 0.999],
});
for await (const progress of trainer.run()) same<typeof progress, TrainProgress>(true);
const outcome: TrainOutcome = await trainer.run({
  onProgress: (event) => same<typeof event, TrainProgress>(true),
});
same<(typeof outcome.runs)[number], LearnedPrompts>(true);

// @ts-expect-error where to write is wanted
await createTrainer({ engine, data: 'mvtec' });
// @ts-expect-error an engine, not the name of a model
await createTrainer({ engine: 'crane-mini', data: 'mvtec', out: 'run' });
// @ts-expect-error two betas
await createTrainer({ engine, data: 'mvtec', out: 'run', betas: [0.6] });
// @ts-expect-error no such place for the guidance
await createTrainer({ engine, data: 'mvtec', out: 'run', guidance: 'suffix' });
// @ts-expect-error no such order
await createTrainer({ engine, data: 'mvtec', out: 'run', order: 'random' });

const run: TestRun = await evaluateDataSets({
  engine,
  data: 'visa',
  preset: 'crane+-medical',
  limits: [0.3],
});
for (const { classes } of run.dataSets)
  for (const { pictures } of classes)
    for (const picture of pictures) {
      if (isScored(picture)) same<typeof picture, ScoredPicture>(true);
      // @ts-expect-error one that could not be scored has no score
      picture.score;
    }
await evaluateDataSets({
  engine,
  data: 'visa',
  onProgress: (progress) => {
    if (progress.stage === 'scoring') same<typeof progress.className, string>(true);
    // @ts-expect-error notes have no count
    if (progress.stage === 'note') progress.done;
  },
});
// @ts-expect-error no such preset
await evaluateDataSets({ engine, data: 'visa', preset: 'crane-mini' });
// @ts-expect-error data are wanted
await evaluateDataSets({ engine });
same<Awaited<ReturnType<typeof readTestRun>>, TestRun>(true);
mapOf;

const { calibration } = await calibrate({ engine, data: 'mvtec', normalOnly: true, falseAlarmRate: 0.05 });
same<typeof calibration, Calibration>(true);
if (calibration.rule === 'best-f1') same<typeof calibration.image.f1, number>(true);
// @ts-expect-error only calibrations by false-alarm rate have one
else calibration.image.f1;
// @ts-expect-error rates are numbers
await calibrate({ engine, data: 'mvtec', falseAlarmRate: '5 %' });

const set: DataSet = await openDataSet('mvtec');
set.items.map(({ imagePath, isAnomalous }) =>
  same<[typeof imagePath, typeof isAnomalous], [string, boolean]>(true),
);
// @ts-expect-error where it lies is wanted
await openDataSet();

const map = { data: new Float32Array(4), width: 2, height: 2 };
const mask = { data: new Uint8Array(4), width: 2, height: 2 };
const { classes, mean } = await metrics.evaluate({
  pictures: [{ className: 'screw', score: 0.5, label: 1, map, mask }],
  limits: [0.3],
});
same<(typeof mean.leftOut.pixel.auroc)['value'], number | null>(true);
classes[0]!.pixel.aupro[0]!.exact;
same<(typeof classes)[number]['pixel']['lowest'], number | null>(true);
// @ts-expect-error masks are bytes
await metrics.evaluate({ pictures: [{ className: 'screw', map, mask: map }] });
// @ts-expect-error a label is yes or no
await metrics.evaluate({ pictures: [{ className: 'screw', label: 2 }] });
// @ts-expect-error pictures are wanted
await metrics.evaluate({ limits: [0.3] });
