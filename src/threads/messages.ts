/** What the pool and its threads say to each other, and what a work is. */

/** What a work may ask its caller for. */
export interface Help {
  /** called with bytes before they are taken; resolves when they may be */
  reserve?: ((bytes: number) => Promise<void>) | undefined;
}

/** Given plain data and typed arrays, it gives such back; what it throws is a CraneError. */
export type Work = (given: never, help: Help) => Promise<unknown>;

export type ThreadOrder =
  | {
      step: 'work';
      id: number;
      /** below dist/, `images/read-work.js` */
      module: string;
      name: string;
      given: unknown;
      mayReserve: boolean;
    }
  | { step: 'granted' | 'refused'; id: number };

export type ThreadAnswer =
  | { step: 'done'; id: number; result: unknown }
  | { step: 'reserve'; id: number; bytes: number }
  | { step: 'failed'; id: number; error: { code: string; message: string; hint?: string } };

/** The memory of the typed arrays that a value has at its top: what goes over to the other thread without a copy. */
export function memoryOf(value: unknown): ArrayBuffer[] {
  if (typeof value !== 'object' || value === null) return [];
  const arrays = ArrayBuffer.isView(value) ? [value] : Object.values(value).filter(ArrayBuffer.isView);
  // A small Buffer lies in memory that others use too.
  const whole = arrays.filter(({ buffer, byteLength }) => buffer.byteLength === byteLength);
  return [...new Set(whole.map(({ buffer }) => buffer as ArrayBuffer))];
}
