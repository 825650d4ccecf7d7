/**
 * The generator behind sampling and mosaics: xoshiro128** 1.1 (Blackman and Vigna), in 32-bit integer arithmetic
 * only, so that a seed gives the same numbers on every platform. No number depends on floating-point rounding.
 *
 * Seeding: word i (0 to 3) is mix(mix(mix(s + i * 0x9E3779B9) + high) + low), where mix is MurmurHash3's finaliser,
 * low and high are the seed's lower 32 and upper 21 bits, and s is the 32-bit FNV-1a hash of the stream's name in
 * UTF-8. mix is a bijection, so the four words differ and are never all zero.
 */
import { wrongValue } from '../options/check.js';

/** Everything that decides the numbers to come; survives JSON. */
export type GeneratorState = readonly [number, number, number, number];

const k_golden = 0x9e3779b9;
const k_words = 2 ** 32;

export class SeededGenerator {
  private constructor(private readonly words: Uint32Array) {}

  /**
   * @param seed whole number from 0 to 2^53 - 1
   * @param stream streams of one seed are independent of each other, for instance one for each class
   */
  static of(seed: number, stream = ''): SeededGenerator {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw wrongValue(`a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`, 'seed', seed);
    const low = seed >>> 0;
    const high = Math.floor(seed / k_words);
    const name = fnv1a(stream);
    const word = (_: unknown, index: number) =>
      mix(mix(mix(name + Math.imul(index, k_golden)) + high) + low) >>> 0;
    return new SeededGenerator(Uint32Array.from({ length: 4 }, word));
  }

  /** @throws CraneError E_USAGE when it is no state */
  static resume(state: GeneratorState): SeededGenerator {
    const isWord = (value: unknown) =>
      Number.isInteger(value) && Number(value) >= 0 && Number(value) < k_words;
    if (
      !Array.isArray(state) ||
      state.length !== 4 ||
      !state.every(isWord) ||
      state.every((word) => word === 0)
    )
      throw wrongValue('four 32-bit words that are not all 0', 'the state of a generator', state);
    return new SeededGenerator(Uint32Array.from(state));
  }

  get state(): GeneratorState {
    return [...this.words] as unknown as GeneratorState;
  }

  /** 32 random bits as a whole number. */
  next(): number {
    const s = this.words;
    const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotate(s[3]!, 11);
    return result;
  }

  /** A whole number from 0 to n - 1, each equally likely. @param n from 1 to 2^32 */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > k_words)
      throw wrongValue('a whole number from 1 to 2^32', 'n', n);
    // The last, incomplete run of n values would favour the small ones: drawn again.
    const limit = k_words - (k_words % n);
    let drawn = this.next();
    while (drawn >= limit) drawn = this.next();
    return drawn % n;
  }

  /** A multiple of 2^-53 from 0 to below 1. */
  float(): number {
    const upper = this.next() >>> 5;
    const lower = this.next() >>> 6;
    return (upper * 2 ** 26 + lower) / 2 ** 53;
  }

  /** Puts a list into random order, in place (Fisher and Yates, from the end). */
  shuffle<T>(list: T[]): T[] {
    for (let last = list.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [list[last], list[other]] = [list[other]!, list[last]!];
    }
    return list;
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function mix(word: number): number {
  let bits = word | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
