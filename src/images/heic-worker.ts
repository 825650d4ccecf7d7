/** The thread that decodes HEIC: what it answers to heic-thread.ts. */
import { parentPort } from 'node:worker_threads';
import { toCraneError } from '../errors.js';
import { type OpenHeic, openHeic } from './heic-decoder.js';
import type { HeicAnswer, HeicOrder } from './heic-thread.js';

const open = new Map<number, OpenHeic>();

async function obey(order: HeicOrder): Promise<HeicAnswer | undefined> {
  const { id } = order;
  if (order.step === 'open') {
    const heic = await openHeic(order.name, order.bytes);
    open.set(id, heic);
    return { id, facts: heic.facts };
  }
  const heic = open.get(id);
  if (order.step === 'decode') return { id, data: await heic!.decode() };
  open.delete(id);
  heic?.close();
  return undefined;
}

parentPort!.on('message', async (order: HeicOrder) => {
  try {
    const answer = await obey(order);
    if (answer === undefined) return;
    parentPort!.postMessage(answer, 'data' in answer ? [answer.data.buffer as ArrayBuffer] : []);
  } catch (thrown) {
    const answer: HeicAnswer = { id: order.id, error: toCraneError(thrown).toJSON() };
    parentPort!.postMessage(answer);
  }
});
