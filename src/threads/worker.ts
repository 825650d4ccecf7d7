/** A thread of the pool (pool.ts): does the works that it is sent, as they come. */
import { parentPort } from 'node:worker_threads';
import { CraneError, toCraneError } from '../errors.js';
import { memoryOf, type ThreadAnswer, type ThreadOrder, type Work } from './messages.js';
import { workHere } from './pool.js';

const port = parentPort!;
/** works that wait for bytes, by their number */
const waiting = new Map<number, { resolve(): void; reject(error: CraneError): void }>();

// A work of a work stays on its thread.
workHere();

async function work({
  id,
  module,
  name,
  given,
  mayReserve,
}: ThreadOrder & { step: 'work' }): Promise<unknown> {
  const works = (await import(new URL(`../${module}`, import.meta.url).href)) as Record<string, Work>;
  const reserve = (bytes: number) =>
    new Promise<void>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      port.postMessage({ step: 'reserve', id, bytes } satisfies ThreadAnswer);
    });
  return works[name]!(given as never, mayReserve ? { reserve } : {});
}

port.on('message', async (order: ThreadOrder) => {
  const { id } = order;
  if (order.step !== 'work') {
    const asked = waiting.get(id);
    waiting.delete(id);
    // The caller knows why.
    if (order.step === 'refused') asked?.reject(new CraneError('E_CANCELLED', 'its caller gave up'));
    else asked?.resolve();
    return;
  }
  try {
    const result = await work(order);
    port.postMessage({ step: 'done', id, result } satisfies ThreadAnswer, memoryOf(result));
  } catch (thrown) {
    port.postMessage({ step: 'failed', id, error: toCraneError(thrown).toJSON() } satisfies ThreadAnswer);
  }
});
