/**
 * What bench and a peer's process say to each other: one JSON object a line, a question on its standard input, the
 * answer on its standard output. A peer works only between a question and its answer.
 *
 *   {"setup": {...}}       -> {"ready": PartyFacts}
 *   {"run": {"batch": 4}}  -> {"sample": Sample}, after whatever preparation this batch needs
 *   (end of input)            the process ends
 *
 * Instead of an answer: {"error": {"message": ..., "hint"?: ...}}.
 */
import { z } from 'zod';

export type Question = { setup: unknown } | { run: { batch: number } };

const count = z.number().min(0);

const error = z.object({ message: z.string().min(1), hint: z.string().optional() });

const facts = z.object({
  title: z.string().min(1),
  versions: z.record(z.string(), z.string()),
  threads: z.int().min(1),
  precision: z.string().min(1),
  gflop: count.optional(),
  weightBytes: count.optional(),
  openSeconds: count.optional(),
  openPeakBytes: count.optional(),
});

const sample = z.object({
  seconds: z.number().positive(),
  cpuSeconds: count.optional(),
  stages: z.object({ decode: count, preprocess: count, forward: count, postprocess: count }).optional(),
  peakBytes: count.optional(),
  residentBytes: count.optional(),
});

export const answerSchema = z.union([z.object({ ready: facts }), z.object({ sample }), z.object({ error })]);

export type PeerAnswer = z.infer<typeof answerSchema>;
