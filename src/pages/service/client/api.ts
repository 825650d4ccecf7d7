/** What the page asks the service. */
import { type Choice, queryOf, stepsOf } from './choice.js';

export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
  peak: number;
}

export interface Result {
  input: string;
  score: number;
  threshold: number | null;
  width: number;
  height: number;
  model: string;
  regions: Region[] | null;
  mapMax: number;
}

export interface ScoreMap {
  width: number;
  height: number;
  values: Float32Array;
}

export interface Model {
  name: string;
  description: string;
  threshold: number | null;
  prompts: string[];
  /** null: nothing of its method is learned, so that it takes no prompts */
  defaultPrompts: string | null;
}

export interface Bank {
  name: string;
  model: string;
  /** when, as ISO 8601 says it */
  created: string;
  bytes: number;
  /** how many */
  pictures: number;
}

export interface Banks {
  normals: Bank[];
  /** null: the service keeps none */
  limits: { banks: number; bytes: number; pictures: number } | null;
  /** the caller adds and deletes */
  mayWrite: boolean;
}

export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** milliseconds after which it may be tried once more; null: it need not be */
    readonly retryMs: number | null,
  ) {
    super(message);
  }
}

const k_tokenKey = 'crane-native-token';

/** Kept for this tab alone. */
export const token = {
  get: () => sessionStorage.getItem(k_tokenKey) ?? '',
  set: (value: string) => sessionStorage.setItem(k_tokenKey, value),
};

async function ask(path: string, init: RequestInit = {}): Promise<unknown> {
  const headers = new Headers(init.headers);
  if (token.get() !== '') headers.set('authorization', `Bearer ${token.get()}`);
  let reply: Response;
  try {
    reply = await fetch(path, { ...init, headers });
  } catch (thrown) {
    if ((thrown as Error).name === 'AbortError') throw thrown;
    throw new Refusal(0, 'the service does not answer', 2000);
  }
  const body = (await reply.json().catch(() => ({}))) as { error?: { message?: string; hint?: string } };
  if (reply.ok) return body;
  const { message = `the service answers ${reply.status}`, hint } = body.error ?? {};
  const isBusy = reply.status === 429 || reply.status === 503;
  // Of a proxy before the service it may be missing, zero or a date.
  const seconds = Math.max(1, Number(reply.headers.get('retry-after')) || 1);
  throw new Refusal(reply.status, hint ? `${message} (${hint})` : message, isBusy ? 1000 * seconds : null);
}

export async function models(): Promise<Model[]> {
  return ((await ask('v1/models')) as { models: Model[] }).models;
}

export async function banks(): Promise<Banks> {
  return (await ask('v1/normals')) as Banks;
}

export async function keepBank(
  name: string,
  model: string,
  pictures: readonly { name: string; file: Blob }[],
): Promise<void> {
  const form = new FormData();
  form.append('name', name);
  form.append('model', model);
  for (const picture of pictures) form.append('picture', picture.file, picture.name);
  await ask('v1/normals', { method: 'POST', body: form });
}

/** One that somebody else deleted meanwhile is gone too. */
export async function deleteBank(name: string): Promise<void> {
  try {
    await ask(`v1/normals/${encodeURIComponent(name)}`, { method: 'DELETE' });
  } catch (thrown) {
    if (!(thrown instanceof Refusal && thrown.status === 404)) throw thrown;
  }
}

interface SentMap {
  width: number;
  height: number;
  type: 'uint8' | 'uint16-le';
  low: number;
  high: number;
  base64: string;
}

function valuesOf({ type, low, high, base64 }: SentMap): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  if (type === 'uint8') return Float32Array.from(bytes, (step) => low + ((high - low) * step) / 255);
  const view = new DataView(bytes.buffer);
  return Float32Array.from(
    { length: bytes.length / 2 },
    (_, at) => low + ((high - low) * view.getUint16(2 * at, true)) / 65_535,
  );
}

export async function score(
  file: Blob,
  choice: Choice,
  signal: AbortSignal,
): Promise<{ result: Result; map: ScoreMap }> {
  const query = new URLSearchParams({
    ...queryOf(choice),
    map: 'true',
    regions: 'true',
    mapType: stepsOf(choice),
  });
  const type = file.type.startsWith('image/') ? file.type : 'application/octet-stream';
  const { map, ...result } = (await ask(`v1/score?${query}`, {
    method: 'POST',
    body: file,
    headers: { 'content-type': type },
    signal,
  })) as Result & { map: SentMap };
  return { result, map: { width: map.width, height: map.height, values: valuesOf(map) } };
}
