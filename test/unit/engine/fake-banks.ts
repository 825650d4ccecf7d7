/** Banks of the fake engine: the mean brightness of each normal picture, and the distance to the nearest one. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Material, NativePicture, ScoreResult } from '../../../src/addon/native.js';

export function brightness({ data }: NativePicture): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum / data.length / 255;
}

/** Patches that are left out of ten: dark pictures show a background, bright ones none. */
export function fakeBackground(value: number): number {
  return value < 0.5 ? 4 : 0;
}

export class FakeBanks {
  readonly #banks = new Map<number, number[]>();
  /** those that leave out the background */
  readonly #ofForeground = new Set<number>();
  /** pictures that are compared with a bank and are no part of it */
  readonly #asked = new Map<number, number[]>();

  /** of a picture that is compared with others: its own brightness; undefined: the whole set */
  readonly #mutual = new Map<number, number | undefined>();

  async add(
    handle: number,
    { normals = [], contexts, files }: Material,
    isForeground: boolean,
  ): Promise<void> {
    const parts = contexts?.['bank'] ?? [];
    if (isForeground || parts.some((part) => this.#ofForeground.has(part))) this.#ofForeground.add(handle);
    const file = files['bank'] ?? files['memory'];
    if (contexts?.['mutual'] !== undefined) {
      const [own] = await brightnessIn(files['picture']!);
      this.#banks.set(handle, this.of(contexts['mutual'][0]!));
      this.#mutual.set(handle, own);
    } else if (Object.keys(files).some((name) => name.startsWith('picture.'))) {
      const all: number[] = [];
      for (const path of Object.values(files)) all.push(...(await brightnessIn(path)));
      this.#banks.set(handle, all);
      this.#mutual.set(handle, undefined);
    } else if (file !== undefined) {
      this.#banks.set(handle, await brightnessIn(file));
    } else if (contexts) {
      const parts = contexts['bank'] ?? contexts['memory'] ?? contexts['both'] ?? [];
      this.#banks.set(
        handle,
        parts.flatMap((part) => this.of(part)),
      );
    } else this.#banks.set(handle, normals.map(brightness));
    const asked = contexts?.['pictures']?.flatMap((part) => this.of(part));
    if (asked) this.#asked.set(handle, asked);
  }

  remove(handle: number): void {
    this.#banks.delete(handle);
    this.#asked.delete(handle);
    this.#mutual.delete(handle);
  }

  of(handle: number): number[] {
    const bank = this.#banks.get(handle);
    if (!bank) throw Object.assign(new Error(`no bank has the handle ${handle}`), { code: 'E_PROMPTS' });
    return bank;
  }

  distance(picture: NativePicture, handle: number): number {
    if (this.#mutual.has(handle)) {
      const own = this.#mutual.get(handle);
      if (own === undefined)
        throw Object.assign(new Error('none of the pictures that are compared'), { code: 'E_NORMALS' });
      const others = [...this.of(handle)];
      others.splice(others.indexOf(own), 1);
      return nearest(own, others);
    }
    return nearest(brightness(picture), this.of(handle));
  }

  leftOut(handle: number): { leftOut: number; patches: number }[] {
    if (!this.#ofForeground.has(handle)) return [];
    return this.of(handle).map((value) => ({ leftOut: fakeBackground(value), patches: 10 }));
  }

  /** As a file that the fake addon's inspectWeights reads. */
  async write(handle: number, path: string, metadata: Record<string, string>): Promise<void> {
    const extra = { brightness: { dtype: 'F64', data: this.of(handle) } };
    await writeFile(path, JSON.stringify({ metadata, extra }));
  }

  own(handle: number): ScoreResult[] {
    const bank = this.of(handle);
    const asked = this.#asked.get(handle);
    return (asked ?? bank).map((one, at) => {
      const score = nearest(one, asked ? bank : bank.filter((_, other) => other !== at));
      return {
        score,
        parts: { farthest: score, background: fakeBackground(one), 'map-max': score },
        mapMax: score,
        ...(asked?.length === 1
          ? { map: { data: new Float32Array(64).fill(score), width: 8, height: 8 } }
          : {}),
        ms: { preprocess: 0, forward: 0, postprocess: 0 },
      };
    });
  }
}

async function brightnessIn(path: string): Promise<number[]> {
  return JSON.parse(await readFile(path, 'utf8')).extra.brightness.data;
}

function nearest(value: number, others: readonly number[]): number {
  return Math.min(1, ...others.map((other) => Math.abs(value - other)));
}
