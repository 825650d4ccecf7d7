/** Damage by chance, the same in every run of a seed: what a fuzzer does that does not see which lines run. */
import { numbersFrom } from './faults.js';

/** What parsers take for something of its own. */
const words = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\n',
    '\r\n',
    '\0',
    ' ',
    '\\',
    '\\u0000',
    '\\ud800',
    '\ufeff',
    '\u2028',
  ],
  ...[
    'null',
    'true',
    'false',
    '-0',
    '0',
    '-1',
    '1e999',
    '1e-999',
    '9007199254740993',
    '0x10',
    'NaN',
    '""',
    '[]',
    '{}',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'length',
    '../',
    '/',
    'C:\\',
    '%00',
    '%2e%2e',
    '&amp;',
    '&#0;',
    '<|endoftext|>',
  ],
];
const numbers = [0, 1, 0x7f, 0x80, 0xfe, 0xff, 0x20, 0x22, 0x5b, 0x7b];

export class Mutator {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = numbersFrom(seed);
  }

  below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** Of one, with parts of another: one to four changes, at most `longest` bytes. */
  mutated(one: Uint8Array, other: Uint8Array, longest = 16_384): Buffer {
    let bytes = Buffer.from(one);
    for (let changes = 1 + this.below(4); changes > 0; changes--) bytes = this.#changed(bytes, other);
    return bytes.subarray(0, longest);
  }

  #changed(bytes: Buffer, other: Uint8Array): Buffer<ArrayBuffer> {
    const at = this.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + this.#length());
    const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    switch (this.below(9)) {
      case 0:
        return Buffer.concat([before, Buffer.from(part.map((byte) => byte ^ (1 << this.below(8)))), after]);
      case 1:
        return Buffer.concat([before, after]);
      case 2:
        return Buffer.concat([before, part, part, after]);
      case 3:
        return Buffer.concat([before, Buffer.from(this.pick(words)), part, after]);
      case 4:
        return Buffer.concat([before, Buffer.from(this.pick(words)), after]);
      case 5: {
        const from = this.below(other.length + 1);
        return Buffer.concat([before, other.subarray(from, from + this.#length()), after]);
      }
      case 6:
        return Buffer.concat([before, Buffer.alloc(end - at, this.pick(numbers)), after]);
      case 7:
        return Buffer.from(bytes.subarray(0, at));
      default:
        return this.#numberReplaced(bytes);
    }
  }

  #length(): number {
    return this.below(4) === 0 ? 1 + this.below(200) : 1 + this.below(8);
  }

  /** A decimal number becomes one that few expect. */
  #numberReplaced(bytes: Buffer): Buffer<ArrayBuffer> {
    const text = bytes.toString('latin1');
    const found = [...text.matchAll(/-?\d+(\.\d+)?/g)];
    if (found.length === 0) return Buffer.concat([bytes, Buffer.from(this.pick(words))]);
    const one = this.pick(found);
    const other = this.pick([
      '0',
      '-1',
      '1',
      '255',
      '65536',
      '4294967296',
      '1e9',
      '1e400',
      '-1e-7',
      '0.5',
      '"1"',
      'null',
    ]);
    return Buffer.from(text.slice(0, one.index) + other + text.slice(one.index + one[0].length), 'latin1');
  }
}
