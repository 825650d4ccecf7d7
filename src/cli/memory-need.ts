/** What loading a model takes of the memory, told before it is taken. */
import { freemem } from 'node:os';
import type { Model } from '../models/model-json.js';
import { countNumbers } from '../models/recipe-tensors.js';
import { formatBytes } from '../terminal/bytes.js';
import { type Context, say } from './context.js';

/** On stderr, when it is more than a quarter of what is free, or always with `verbose`. */
export function sayMemoryNeed(context: Context, model: Model, verbose: boolean): void {
  const files = [...model.weights, ...(model.source ? [model.source.weights] : [])];
  const need = files.reduce((sum, { bytes }) => sum + bytes, 4 * countNumbers(model.recipes));
  const free = freemem();
  if (!verbose && need <= free / 4) return;
  say(
    context,
    `${model.name}: weights of ${formatBytes(need)} are loaded; ${formatBytes(free)} of memory are free`,
  );
}
