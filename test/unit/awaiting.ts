/** What tests wait for: faults, results and gates. */
import type { CraneError } from '../../src/errors.js';

/** The code that work ends with; `no error` where it ends well, and faults without a code say what they are. */
export function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (thrown: { code?: string }) => (thrown.code?.startsWith('E_') ? thrown.code : `uncoded: ${thrown}`),
  );
}

/** What the error says that work ends with. */
export function faultOf(work: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  return work.then(
    () => ({ code: 'no error', message: '', hint: '' }),
    ({ code, message, hint = '' }: CraneError) => ({ code, message, hint }),
  );
}

export async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

/** A source that keeps whoever reads it waiting. */
export function unending(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
}

/** What waits for it goes on once the test opens it. */
export function makeGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait: () => opened, open: () => open() };
}
