/** Parsers of what comes from outside, each as a function of bytes: what it may answer, and what must hold of what it read. */
import { rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { NativeAddon } from '../../src/addon/native.js';
import { parseMeta } from '../../src/data/meta-read.js';
import { readNpy } from '../../src/files/npy.js';
import { decodeText } from '../../src/files/text.js';
import { parseModelJson } from '../../src/models/model-json.js';
import { k_factsKey } from '../../src/normals/bank-facts.js';
import { readBankFacts } from '../../src/normals/read-bank-facts.js';
import { Admission } from '../../src/service/admission.js';
import { readPictures } from '../../src/service/requests/read-pictures.js';
import { ChoicesReader } from '../../src/service/requests/request-options.js';
import { readInferRequest } from '../../src/service/requests/tensors.js';
import { readManifest } from '../../src/sources/manifest.js';
import { k_contextLength, k_endToken, k_startToken, tokenize } from '../../src/text/tokenizer.js';

export interface Parser {
  /** @throws what it answers with; a plain Error is a finding */
  read(bytes: Buffer): unknown;
  /** codes that it may answer with */
  codes: RegExp;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`read, but ${what}`);
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

async function inFile<T>(bytes: Uint8Array, ending: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(tmpdir(), `crane-parser-${process.pid}.${ending}`);
  await writeFile(path, bytes);
  try {
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}

const rowsOf = (ending: string) => (bytes: Buffer) =>
  inFile(bytes, ending, async (path) => {
    for await (const row of readManifest(path)) {
      const all = Object.values(row);
      must(
        all.length > 0 && all.every((value) => typeof value === 'string' && value !== ''),
        'a field is no text',
      );
    }
  });

/** A head of three lines, as a request has it: type, query, and Inference-Header-Content-Length; then the body. */
function requestOf(bytes: Buffer): { type: string; query: string; head: string | undefined; body: Buffer } {
  const [type = '', query = '', head = ''] = bytes.toString('latin1').split('\n', 3);
  const body = bytes.subarray(type.length + query.length + head.length + 3);
  return { type, query, head: head === '' ? undefined : head, body };
}

const k_held = 2 ** 20;

async function readRequest(bytes: Buffer): Promise<void> {
  const { type, query, head, body } = requestOf(bytes);
  const admission = new Admission({ maxQueue: 8, maxQueueMs: 1e9, maxHeldBytes: k_held });
  const place = admission.enter();
  const limits = { maxBody: 2 ** 18, maxJsonBody: 2 ** 16, maxFiles: 6, requestTimeoutMs: 5000, place };
  try {
    if (type === 'infer') {
      const { pictures } = readInferRequest(body, head, new ChoicesReader(), limits);
      must(pictures.length > 0 && pictures.length <= limits.maxFiles, 'it has too many pictures');
      return;
    }
    // In two parts, as it may come.
    const half = body.length >> 1;
    const request = Object.assign(
      Readable.from([body.subarray(0, half), body.subarray(half)].filter((part) => part.length)),
      {
        headers: { 'content-type': type },
        url: `/v1/score?${query}`,
      },
    ) as unknown as IncomingMessage;
    const { pictures } = await readPictures(request, limits, { takesMask: true });
    must(pictures.length > 0 && pictures.length <= limits.maxFiles, 'it has too many pictures');
    must(
      pictures.every(({ name }) => name !== '' && !/\p{Cc}/u.test(name)),
      'a name has control characters',
    );
    must(pictures.reduce((sum, { bytes: picture }) => sum + picture.length, 0) <= body.length, 'it grew');
  } finally {
    must(admission.bytes <= k_held, 'it held more than it may');
    place.leave();
    must(admission.bytes === 0 && admission.pictures === 0, 'something is still held');
  }
}

export const parsers: Record<string, Parser> = {
  npy: {
    codes: /^E_IO_READ$/,
    read: (bytes) =>
      inFile(bytes, 'npy', async (path) => {
        const { data, width, height } = await readNpy(path);
        must(width > 0 && height > 0 && data.length === width * height, 'its size is another');
        must(data.byteLength < bytes.length, 'it has more values than the file');
      }),
  },
  'model-json': {
    codes: /^E_MODEL_JSON$/,
    read: (bytes) => {
      const model = parseModelJson(text(bytes), 'x/model.json');
      const { sets } = model.prompts;
      const files = [
        ...model.weights,
        ...Object.values(sets),
        ...(model.source ? [model.source.weights] : []),
      ];
      for (const { file, sha256 } of files) {
        must(!/^\/|^[a-z]:|\\|\0|(^|\/)\.\.$/i.test(file), `${file} leaves the folder`);
        must(/^[0-9a-f]{64}$/.test(sha256), 'a checksum is none');
      }
      must(Number.isFinite(model.method.sigma ?? 1), 'a setting is no number');
    },
  },
  'bank-facts': {
    codes: /^E_NORMALS$/,
    read: async (bytes) => {
      const addon = { inspectWeights: async () => ({ metadata: { [k_factsKey]: text(bytes) } }) };
      const { pictures, turns } = await readBankFacts(
        addon as unknown as NativeAddon,
        'x.normals.safetensors',
      );
      must(pictures.length > 0 && turns >= 1, 'it has no pictures');
    },
  },
  'meta-json': {
    codes: /^E_(DATA_META|TEXT_ENCODING)$/,
    read: (bytes) => {
      const index = parseMeta(decodeText(bytes, 'meta.json'), 'meta.json');
      for (const split of ['train', 'test'] as const)
        for (const { imagePath, className } of index.read(split).entries)
          must(imagePath !== '' && className !== '' && !imagePath.includes('\0'), 'a picture has no name');
    },
  },
  request: { codes: /^E_(HTTP_\w+|USAGE|QUEUE_FULL|IMAGE_SHAPE)$/, read: readRequest },
  tokens: {
    codes: /^$/,
    read: async (bytes) => {
      const { ids, truncated } = await tokenize(text(bytes));
      const end = ids.indexOf(k_endToken);
      must(ids.length === k_contextLength && ids[0] === k_startToken && end > 0, 'it is no context');
      must(
        ids.every((id) => id >= 0 && id <= k_endToken),
        'an id is none',
      );
      must(
        truncated
          ? ids.at(-1) === k_endToken
          : ids.subarray(ids.lastIndexOf(k_endToken) + 1).every((id) => id === 0),
        'its end is wrong',
      );
    },
  },
  'manifest-jsonl': { codes: /^E_(DATA_META|TEXT_ENCODING)$/, read: rowsOf('jsonl') },
  'manifest-parquet': { codes: /^E_DATA_META$/, read: rowsOf('parquet') },
};

/** `read`, the code that it answers with, or what is wrong. @returns and whether that is a finding */
export async function answerOf(
  { read, codes }: Parser,
  bytes: Buffer,
): Promise<{ answer: string; isBad: boolean }> {
  try {
    await read(bytes);
    return { answer: 'read', isBad: false };
  } catch (thrown) {
    const { code, message } = thrown as { code?: unknown; message: string };
    // What differs by a name or a number is the same answer.
    const shape = String(message)
      .replace(/"[^"]*"|[\d.]+/g, '_')
      .slice(0, 80);
    return { answer: `${code ?? ''} ${shape}`, isBad: typeof code !== 'string' || !codes.test(code) };
  }
}
