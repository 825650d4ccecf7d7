/**
 * The parsers in TypeScript: their corpus, and damage by chance to it. CRANE_FUZZ_SECONDS=1200 goes on for so long for each
 * (`npx vitest run test/fire/parsers.test.ts -t npy`), and keeps what it finds in build/fire/found.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../cli/crane-native.js';
import { Mutator } from './mutate.js';
import { answerOf, type Parser, parsers } from './parsers.js';

const seconds = Number(process.env['CRANE_FUZZ_SECONDS'] ?? 0);
/** of each parser in npm test -- --all */
const k_rounds = 1500;
/** What gives a new answer is damaged further; so many are held, and so many answers are told apart. */
const k_mostKept = 1000;
const k_mostAnswers = 10_000;
/** Of a processor, for one input of a few KB: more is a fault. */
const k_longestMs = 5000;

async function corpusOf(name: string): Promise<Buffer[]> {
  const folder = join(root, 'test', 'fire', 'corpus', name === 'manifest-parquet' ? 'parquet' : name);
  return Promise.all((await readdir(folder)).sort().map((file) => readFile(join(folder, file))));
}

interface Found {
  runs: number;
  answers: Set<string>;
  bad: Map<string, Buffer>;
  /** of the processor, since others work beside */
  slowestMs: number;
}

const processorMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function fuzz(
  parser: Parser,
  corpus: readonly Buffer[],
  isOver: (found: Found) => boolean,
): Promise<Found> {
  const found: Found = { runs: 0, answers: new Set(), bad: new Map(), slowestMs: 0 };
  const kept = [...corpus];
  const mutator = new Mutator(24);
  const tryOne = async (bytes: Buffer) => {
    const start = processorMs();
    const { answer, isBad } = await answerOf(parser, bytes);
    const took = processorMs() - start;
    found.slowestMs = Math.max(found.slowestMs, took);
    if (isBad && !found.bad.has(answer)) found.bad.set(answer, bytes);
    if (took > k_longestMs) found.bad.set(`${took.toFixed(0)} ms: ${answer}`, bytes);
    found.runs++;
    if (found.answers.size >= k_mostAnswers || found.answers.has(answer)) return;
    found.answers.add(answer);
    if (kept.length < k_mostKept) kept.push(bytes);
  };
  for (const bytes of corpus) await tryOne(bytes);
  while (!isOver(found)) await tryOne(mutator.mutated(mutator.pick(kept), mutator.pick(kept)));
  return found;
}

it.each(Object.keys(parsers))(
  '%s',
  async (name) => {
    const corpus = await corpusOf(name);
    expect(corpus.length).toBeGreaterThan(0);
    const end = Date.now() + seconds * 1000;
    const before = process.resourceUsage().maxRSS;
    const found = await fuzz(parsers[name]!, corpus, ({ runs }) =>
      seconds > 0 ? Date.now() > end : runs >= corpus.length + k_rounds,
    );
    const grown = Math.round((process.resourceUsage().maxRSS - before) / 1024);
    const { runs, answers, bad, slowestMs } = found;
    console.log(
      `${name}: ${runs} runs, ${answers.size} answers, slowest ${slowestMs.toFixed(0)} ms, ${grown} MB more`,
    );
    const folder = join(root, 'build', 'fire', 'found', name);
    for (const [each, bytes] of [...bad.values()].entries()) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `bad-${each}`), bytes);
    }
    expect([...bad.keys()]).toEqual([]);
    expect(grown).toBeLessThan(600);
    // Some of it must be read, and some refused: otherwise nothing was tried.
    expect([...answers]).toContain('read');
    if (name !== 'tokens') expect(answers.size).toBeGreaterThan(1);
  },
  seconds * 1000 + 120_000,
);

it('finds what is planted in each', async () => {
  for (const [name, { read, codes }] of Object.entries(parsers)) {
    // A fault without a code behind the checks: at some of what is read and is not in the corpus.
    const corpus = await corpusOf(name);
    const planted: Parser = {
      codes,
      read: async (bytes) => {
        await read(bytes);
        const isOdd = bytes.reduce((sum, byte) => sum + byte, 0) % 2 === 1;
        if (isOdd && !corpus.includes(bytes)) (undefined as unknown as string).trim();
      },
    };
    const { bad } = await fuzz(planted, corpus, ({ runs, bad }) => bad.size > 0 || runs >= 6000);
    expect([...bad.keys()].join(), name).toContain('trim');
  }
}, 300_000);
