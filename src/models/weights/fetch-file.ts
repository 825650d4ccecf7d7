/**
 * Downloads one file into `<path>.part` and goes on there after a break. What the server said about the file
 * (address, size, tag) is kept in `<path>.part.json`; without it a partial file is of no use.
 */
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { CraneError } from '../../errors.js';
import { sizeOf } from '../../files/size-of.js';
import { writeWhole } from '../../files/write-whole.js';
import { announcedBytes, type HttpAnswer, HttpError, strongTag } from '../../net/http-client.js';
import { CutShort, withRetries } from '../../net/retry.js';
import type { Transfer } from '../../net/zip-source.js';
import { formatBytes } from '../../terminal/bytes.js';
import { shownAddress } from '../../terminal/shown-address.js';

export interface WeightTransfer extends Transfer {
  /** fires when the user gives up; what has come is kept */
  stop: AbortSignal;
}

/** What is known about a partial file. */
interface Begun {
  url: string;
  size: number;
  /** ETag or Last-Modified, sent as If-Range: another file of the same name is then sent whole */
  validator?: string;
}

export function partOf(path: string): string {
  return `${path}.part`;
}

/**
 * isChecked: a checksum will tell whether the parts belong together, so that a server without validators may
 * still be asked to go on. Returns when the whole body is on disk; checking it is the caller's business.
 * @throws HttpError, CutShort, file system errors; CraneError E_CANCELLED
 */
export async function fetchPart(
  url: string,
  path: string,
  isChecked: boolean,
  transfer: WeightTransfer,
): Promise<void> {
  const part = partOf(path);
  // Only bytes that no earlier attempt reached are progress: a server that always breaks off at the same place
  // must run out of attempts.
  let furthest = await sizeOf(part);
  await withRetries(transfer.retries, transfer.log, async (progressed) => {
    throwIfStopped(transfer.stop, await sizeOf(part));
    const begun = await readBegun(part, url, isChecked);
    const have = begun ? await sizeOf(part) : 0;
    if (begun && have === begun.size) return;
    const answer = await ask(url, part, begun, have, transfer);
    const from = answer.status === 206 ? have : 0;
    const size = from > 0 ? begun?.size : announcedBytes(answer);
    if (from === 0) {
      // Before the note of the new version: a process that is killed between the two leaves nothing to go on from.
      await rm(part, { force: true });
      await noteBegin(part, url, size, answer);
    } else transfer.log(`  going on at ${formatBytes(from)} of ${formatBytes(size ?? 0)}`);
    await save(answer, part, from, size, transfer, (got) => {
      if (got <= furthest) return;
      furthest = got;
      progressed();
    });
  });
}

/** The partial file and what is known about it. */
export async function dropPart(path: string): Promise<void> {
  await rm(partOf(path), { force: true });
  await rm(noteOf(partOf(path)), { force: true });
}

/** A partial answer that does not fit means that the partial file is of another version: it goes, the retry is whole. */
async function ask(
  url: string,
  part: string,
  begun: Begun | undefined,
  have: number,
  { client }: WeightTransfer,
): Promise<HttpAnswer> {
  if (!begun || have === 0) return checkKind(await client.get(url));
  let answer: HttpAnswer;
  try {
    const range: [number, number] = [have, begun.size - 1];
    answer = await client.get(url, { range, ...(begun.validator ? { ifRange: begun.validator } : {}) });
  } catch (thrown) {
    if (!(thrown instanceof HttpError) || thrown.status !== 416) throw thrown;
    await rm(part, { force: true });
    throw new CutShort('the server has no such part of the file any more');
  }
  if (answer.status !== 206) return checkKind(answer);
  const sent = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '');
  // Not every server minds If-Range.
  const isOther =
    begun.validator !== undefined && ![undefined, begun.validator].includes(validatorOf(answer));
  if (Number(sent?.[1]) === have && Number(sent?.[2]) === begun.size && !isOther) return answer;
  drop(answer);
  await rm(part, { force: true });
  throw new CutShort('the server sent another part than was asked for');
}

/** A page where a file should be: a proxy that wants a login, a publisher's "not found" with status 200. */
function checkKind(answer: HttpAnswer): HttpAnswer {
  if (!/^text\/html\b/i.test(answer.headers['content-type'] ?? '')) return answer;
  drop(answer);
  throw new CraneError(
    'E_DOWNLOAD',
    `${shownAddress(answer.url)} answered with a web page instead of the file`,
  );
}

/**
 * Every chunk is on its way to the disk before the next one is taken: what an interrupted download leaves behind
 * is exactly the beginning of the body, and nothing is written any more once this returned or threw.
 */
async function save(
  answer: HttpAnswer,
  part: string,
  from: number,
  size: number | undefined,
  { progress, stop }: WeightTransfer,
  reached: (bytes: number) => void,
): Promise<void> {
  let got = from;
  const giveUp = () => drop(answer);
  progress.start(size ?? 0);
  progress.add(from);
  const file = await open(part, from > 0 ? 'r+' : 'w');
  stop.addEventListener('abort', giveUp, { once: true });
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      if (size !== undefined && got + chunk.length > size)
        throw new CutShort('the server sent more than it announced');
      await writeAll(file, chunk, got);
      got += chunk.length;
      progress.add(chunk.length);
      reached(got);
    }
    await file.sync();
  } catch (thrown) {
    throwIfStopped(stop, got);
    throw thrown;
  } finally {
    stop.removeEventListener('abort', giveUp);
    drop(answer);
    await file.close();
    progress.stop();
  }
  throwIfStopped(stop, got);
  if (size !== undefined && got < size) throw new CutShort('the connection ended early');
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** A body that is not wanted: its end is an error nobody waits for. */
function drop({ body }: HttpAnswer): void {
  body.on('error', () => {});
  body.destroy();
}

function validatorOf(answer: HttpAnswer): string | undefined {
  return strongTag(answer) ?? answer.headers['last-modified'];
}

async function noteBegin(part: string, url: string, size: number | undefined, answer: HttpAnswer) {
  const validator = validatorOf(answer);
  if (size === undefined) return rm(noteOf(part), { force: true });
  const begun: Begun = { url, size, ...(validator ? { validator } : {}) };
  await writeWhole(noteOf(part), `${JSON.stringify(begun)}\n`, { overwrite: true });
}

async function readBegun(part: string, url: string, isChecked: boolean): Promise<Begun | undefined> {
  try {
    const begun = JSON.parse(await readFile(noteOf(part), 'utf8')) as Partial<Begun>;
    const { size, validator } = begun;
    if (begun.url !== url || typeof size !== 'number' || (await sizeOf(part)) > size) return undefined;
    if (typeof validator === 'string') return { url, size, validator };
    return isChecked ? { url, size } : undefined;
  } catch {
    // absent, or cut short itself: the download starts over
    return undefined;
  }
}

function noteOf(part: string): string {
  return `${part}.json`;
}

function throwIfStopped(stop: AbortSignal, kept: number): void {
  if (!stop.aborted) return;
  throw new CraneError('E_CANCELLED', `interrupted; ${formatBytes(kept)} are kept`, {
    hint: 'the same command goes on there',
  });
}
