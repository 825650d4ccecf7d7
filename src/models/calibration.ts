/** What a calibration is: thresholds for ONE set of settings, how they were chosen, and how sure they are. */
import { z } from 'zod';

const share = z.number().min(0).max(1);
const whole = z.int().min(0);

/** Ends of an interval of the given level, for instance 0.95. */
const interval = z.strictObject({ low: z.number(), high: z.number(), level: share });

/** A threshold of best F1, and what it does on the pictures that it was chosen by. */
const bestF1 = z.strictObject({
  threshold: z.number(),
  f1: share,
  precision: share,
  recall: share,
  /** of the threshold, by a bootstrap over pictures */
  interval,
  /** mean F1 on pictures that a bootstrap draw left out: what new pictures of the same kind may give; null: unknown */
  f1Unseen: share.nullable(),
});

/** A threshold that normal pictures reach with at most the wanted probability (split conformal). */
const conformal = z.strictObject({
  threshold: z.number(),
  /** the threshold lies just above the score of this rank, 1 being the lowest */
  rank: whole,
  /** of the rate that the threshold really has, over the choice of the pictures */
  expected: share,
  interval,
});

const common = {
  /** `name@hash` as results carry it: the thresholds hold for results of exactly this label */
  settings: z.string().regex(/^.+@[0-9a-f]{12}$/, 'expected name@hash'),
  date: z.iso.datetime(),
  /** null: nothing of the method is learned */
  prompts: z
    .strictObject({
      name: z.string(),
      sha256: z.string(),
      learnedOn: z.array(z.string()).nullable(),
    })
    .nullable(),
  data: z.strictObject({ name: z.string(), split: z.string(), hash: z.string() }),
  pictures: z.strictObject({ normal: whole, anomalous: whole, withMask: whole, failed: whole }),
  /** why the thresholds are better here than elsewhere: the prompts were learned on these pictures */
  learnedOn: z.string().nullable(),
};

export const calibrationSchema = z.discriminatedUnion('rule', [
  z.strictObject({
    ...common,
    rule: z.literal('best-f1'),
    image: bestF1,
    /** null: no masks */
    map: bestF1.nullable(),
  }),
  z.strictObject({
    ...common,
    rule: z.literal('false-alarm-rate'),
    /** the wanted bound */
    falseAlarmRate: share,
    image: conformal,
    map: conformal,
  }),
]);

export type Calibration = z.infer<typeof calibrationSchema>;
export type BestF1Threshold = z.infer<typeof bestF1>;
export type ConformalThreshold = z.infer<typeof conformal>;
