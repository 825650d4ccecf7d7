/**
 * CLIP's byte-pair tokenizer (method.md 5): 49408 tokens, contexts of 77. The merge list is CLIP's own
 * (assets/bpe_simple_vocab_16e6.txt.gz, MIT). The only difference to the original: texts are not repaired by ftfy.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { cleanText, k_whiteSpace } from './clean-text.js';

export const k_contextLength = 77;
export const k_startToken = 49406;
export const k_endToken = 49407;
/** 49408 tokens less the 512 of single bytes and the two above. */
const k_merges = 49152 - 256 - 2;

/**
 * Contractions, runs of letters, single digits, runs of anything else. The original ignores case: the text is in
 * lower case already, so only the long s remains, which folds to s.
 */
const pieces = new RegExp(
  `<\\|[sſ]tartoftext\\|>|<\\|endoftext\\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^${k_whiteSpace}\\p{L}\\p{N}]+`,
  'gu',
);

interface Vocabulary {
  ids: Map<string, number>;
  /** `first second` to the order in which the pair is merged */
  ranks: Map<string, number>;
  /** the letter that stands for each byte */
  byteLetters: string[];
}

export interface Tokens {
  /** [77]: start, tokens, end, zeros */
  ids: Int32Array;
  /** the text was too long: its end is cut, the last id is the end token */
  truncated: boolean;
}

let vocabulary: Promise<Vocabulary> | undefined;
/** Pieces repeat; only this many are remembered, so that hostile texts cannot fill the memory. */
const k_rememberedPieces = 10_000;
const remembered = new Map<string, number[]>();

/** One context of 77 ids. */
export async function tokenize(text: string): Promise<Tokens> {
  const tokens = await encodeText(text);
  const ids = new Int32Array(k_contextLength);
  ids.set([k_startToken, ...tokens.slice(0, k_contextLength - 2), k_endToken]);
  return { ids, truncated: tokens.length > k_contextLength - 2 };
}

/** The ids of a text of any length, without start and end. */
export async function encodeText(text: string): Promise<number[]> {
  vocabulary ??= loadVocabulary();
  const [loaded, clean] = await Promise.all([vocabulary, cleanText(text)]);
  return (clean.match(pieces) ?? []).flatMap((piece) => encodePiece(piece, loaded));
}

function encodePiece(piece: string, vocabulary: Vocabulary): number[] {
  const known = remembered.get(piece);
  if (known) return known;
  const ids = specialId(piece) ?? mergePiece(piece, vocabulary).map((part) => vocabulary.ids.get(part)!);
  if (remembered.size >= k_rememberedPieces) remembered.clear();
  remembered.set(piece, ids);
  return ids;
}

/** The names of the two special tokens stand for them even inside a text. */
function specialId(piece: string): number[] | undefined {
  if (piece === '<|startoftext|>') return [k_startToken];
  return piece === '<|endoftext|>' ? [k_endToken] : undefined;
}

/** Joins, again and again, the pair that comes first in the merge list, everywhere it occurs. */
function mergePiece(piece: string, { ranks, byteLetters }: Vocabulary): string[] {
  let parts = [...Buffer.from(piece, 'utf8')].map((byte) => byteLetters[byte]!);
  parts[parts.length - 1] += '</w>';
  while (parts.length > 1) {
    let best = Number.POSITIVE_INFINITY;
    let bestAt = -1;
    for (let at = 0; at + 1 < parts.length; at++) {
      const rank = ranks.get(`${parts[at]} ${parts[at + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (rank < best) {
        best = rank;
        bestAt = at;
      }
    }
    if (bestAt < 0) break;
    parts = joinEverywhere(parts, parts[bestAt]!, parts[bestAt + 1]!);
  }
  return parts;
}

function joinEverywhere(parts: string[], first: string, second: string): string[] {
  const joined: string[] = [];
  for (let at = 0; at < parts.length; at++) {
    if (parts[at] === first && parts[at + 1] === second) {
      joined.push(first + second);
      at++;
    } else {
      joined.push(parts[at]!);
    }
  }
  return joined;
}

async function loadVocabulary(): Promise<Vocabulary> {
  const packed = await readFile(new URL('../../assets/bpe_simple_vocab_16e6.txt.gz', import.meta.url));
  const text = (await promisify(gunzip)(packed)).toString('utf8');
  const byteLetters = lettersOfBytes();
  const ids = new Map<string, number>();
  // Single bytes are numbered: those that stand for themselves first, then the others.
  const letters = [
    ...byteLetters.filter(isOwnLetter),
    ...byteLetters.filter((letter, byte) => !isOwnLetter(letter, byte)),
  ];
  for (const letter of letters) ids.set(letter, ids.size);
  for (const letter of letters) ids.set(`${letter}</w>`, ids.size);

  const ranks = new Map<string, number>();
  let from = text.indexOf('\n') + 1; // the first line is a version
  for (let merge = 0; merge < k_merges; merge++) {
    const to = text.indexOf('\n', from);
    const pair = text.slice(from, to);
    ranks.set(pair, merge);
    ids.set(pair.replace(' ', ''), ids.size);
    from = to + 1;
    if (merge % 1000 === 999) await setImmediate(); // never a millisecond at a stretch
  }
  return { ids, ranks, byteLetters };
}

function isOwnLetter(letter: string, byte: number): boolean {
  return letter === String.fromCharCode(byte);
}

/** Printable Latin-1 bytes stand for themselves, the other bytes for letters from U+0100 on. */
function lettersOfBytes(): string[] {
  let spare = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    return String.fromCharCode(isPrintable ? byte : spare++);
  });
}
