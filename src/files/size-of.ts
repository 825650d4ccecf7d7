import { stat } from 'node:fs/promises';

/** 0 where nothing is yet. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
