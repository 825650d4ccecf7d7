/** Where the bytes of a zip come from: a local file, or a server that gives ranges of a remote one. */
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from '../files/content-hash.js';
import { makeFolder } from '../files/make-folder.js';
import { sizeOf } from '../files/size-of.js';
import type { DownloadProgress } from './download-progress.js';
import { announcedBytes, discard, type HttpAnswer, type HttpClient, strongTag } from './http-client.js';
import { CutShort, type RetryPolicy, withRetries } from './retry.js';
import { tailSize, ZipError } from './zip-directory.js';
import { DamagedMember } from './zip-member.js';

export interface ZipSource {
  readonly size: number;
  /** segments are downloaded */
  readonly isRemote: boolean;
  /** a small piece, [start, end) */
  read(start: number, end: number): Promise<Buffer>;
  /** a local file that holds [start, end); `offset` is where `start` lies in it */
  segment(start: number, end: number): Promise<{ path: string; offset: number }>;
  /** the segment is no longer needed */
  release(start: number, end: number): Promise<void>;
  /** what lies in the segment is damaged; true when fetching it again may help */
  discard(start: number, end: number): Promise<boolean>;
}

export interface Transfer {
  client: HttpClient;
  retries: RetryPolicy;
  log: (line: string) => void;
  progress: DownloadProgress;
}

export interface RemoteZip {
  url: string;
  /** of the whole file, where known */
  sha256: string | undefined;
  size: number | undefined;
  /** fetch all of it even from a server with ranges, so that sha256 can be checked */
  whole?: boolean;
}

export class FileSource implements ZipSource {
  readonly isRemote = false;
  private constructor(
    readonly path: string,
    readonly size: number,
    readonly isOurs: boolean,
  ) {}

  /** isOurs: a download of ours, deleted when it turns out to be damaged. */
  static async open(path: string, isOurs = false): Promise<FileSource> {
    return new FileSource(path, (await stat(path)).size, isOurs);
  }

  async read(start: number, end: number): Promise<Buffer> {
    const file = await open(this.path, 'r');
    try {
      const bytes = Buffer.alloc(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async segment(start: number): Promise<{ path: string; offset: number }> {
    return { path: this.path, offset: start };
  }

  async release(): Promise<void> {}

  async discard(): Promise<boolean> {
    if (this.isOurs) await rm(this.path, { force: true });
    return false;
  }
}

/**
 * Asks for the end of the file, where a zip's directory is. A server that answers with the whole file instead
 * knows no ranges: then that answer is kept as `folder`/whole.zip.
 * folder: partial downloads of this file, kept for the next run.
 */
export async function openRemoteZip(
  remote: RemoteZip,
  folder: string,
  transfer: Transfer,
): Promise<ZipSource> {
  await makeFolder(folder);
  const whole = join(folder, 'whole.zip');
  return withRetries(transfer.retries, transfer.log, async () => {
    if (await isComplete(whole, remote)) return FileSource.open(whole, true);
    const { size } = remote;
    const range: [number, number] = size === undefined ? [0, 0] : [Math.max(0, size - tailSize), size - 1];
    const answer = await transfer.client.get(remote.url, remote.whole ? {} : { range });
    if (answer.status !== 206) {
      await saveWhole(answer, whole, remote, transfer);
      return FileSource.open(whole, true);
    }
    const total = contentRange(answer).total;
    if (size !== undefined && total !== size) {
      discard(answer);
      throw new Error(`the server has ${total} bytes of a file that has ${size}`);
    }
    const tail = await readBody(answer, range[1] - range[0] + 1);
    return new RangeSource(remote.url, total, strongTag(answer), folder, transfer, {
      start: range[0],
      bytes: tail,
    });
  });
}

/** What was kept of an archive that proves to be unreadable is of no use to the next run, which has to fetch it. */
export async function orForget<T>(folder: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof ZipError || thrown instanceof DamagedMember)
      await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
}

class RangeSource implements ZipSource {
  readonly isRemote = true;
  constructor(
    readonly url: string,
    readonly size: number,
    readonly tag: string | undefined,
    readonly folder: string,
    readonly transfer: Transfer,
    readonly tail: { start: number; bytes: Buffer },
  ) {}

  async read(start: number, end: number): Promise<Buffer> {
    if (start >= this.tail.start && end <= this.tail.start + this.tail.bytes.length)
      return this.tail.bytes.subarray(start - this.tail.start, end - this.tail.start);
    return withRetries(this.transfer.retries, this.transfer.log, async () =>
      readBody(await this.#range(start, end), end - start),
    );
  }

  /** What an earlier run got of the same range is continued, not repeated. */
  async segment(start: number, end: number): Promise<{ path: string; offset: number }> {
    const path = this.#path(start, end);
    let counted = 0;
    await withRetries(this.transfer.retries, this.transfer.log, async (progressed) => {
      let have = await sizeOf(path);
      if (have > end - start) {
        await rm(path);
        have = 0;
      }
      this.transfer.progress.add(have - counted);
      counted = have;
      if (have === end - start) return;
      const answer = await this.#range(start + have, end);
      await saveBody(answer, path, 'a', end - start - have, (n) => {
        counted += n;
        this.transfer.progress.add(n);
        progressed();
      });
      if ((await sizeOf(path)) < end - start) throw new CutShort('the connection ended early');
    });
    return { path, offset: 0 };
  }

  async release(start: number, end: number): Promise<void> {
    await rm(this.#path(start, end), { force: true });
  }

  async discard(start: number, end: number): Promise<boolean> {
    await this.release(start, end);
    return true;
  }

  #path(start: number, end: number): string {
    return join(this.folder, `${start}-${end}.range`);
  }

  async #range(start: number, end: number): Promise<HttpAnswer> {
    const answer = await this.transfer.client.get(this.url, {
      range: [start, end - 1],
      ...(this.tag ? { ifRange: this.tag } : {}),
    });
    const sent = answer.status === 206 ? contentRange(answer) : undefined;
    if (sent?.start === start && sent.total === this.size) return answer;
    discard(answer);
    throw new Error(`the file changed on the server while it was fetched (${answer.status})`);
  }
}

async function saveWhole(
  answer: HttpAnswer,
  path: string,
  remote: RemoteZip,
  transfer: Transfer,
): Promise<void> {
  const size = announcedBytes(answer) ?? remote.size;
  transfer.log(
    `  ${remote.whole ? 'fetching the whole file' : 'the server gives no ranges: fetching the whole file'}`,
  );
  transfer.progress.start(size ?? 0);
  const temporary = `${path}.part`;
  let got = 0;
  try {
    await saveBody(answer, temporary, 'w', size ?? Number.MAX_SAFE_INTEGER, (n) => {
      got += n;
      transfer.progress.add(n);
    });
  } finally {
    transfer.progress.stop();
  }
  if (size !== undefined && got < size) throw new CutShort('the connection ended early');
  if (remote.sha256 !== undefined && (await sha256OfFile(temporary)) !== remote.sha256) {
    await rm(temporary, { force: true });
    throw new CutShort('the file that came has another sha256 than announced');
  }
  await rename(temporary, path);
}

/** Of an earlier run, which may have been told another sum. */
async function isComplete(path: string, { size, sha256 }: RemoteZip): Promise<boolean> {
  const found = await sizeOf(path);
  if (found === 0 || (size !== undefined && found !== size)) return false;
  return sha256 === undefined || (await sha256OfFile(path)) === sha256;
}

function contentRange(answer: HttpAnswer): { start: number; total: number } {
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '');
  if (!match) throw new Error(`the server sent no usable Content-Range: ${answer.headers['content-range']}`);
  return { start: Number(match[1]), total: Number(match[2]) };
}

async function readBody(answer: HttpAnswer, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let got = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    got += chunk.length;
    if (got > size) throw new Error('the server sent more than was asked for');
    chunks.push(chunk);
  }
  if (got < size) throw new CutShort('the connection ended early');
  return Buffer.concat(chunks);
}

/** Writes each piece before it takes the next, so that little is lost of what came before a broken connection. */
async function saveBody(
  answer: HttpAnswer,
  path: string,
  flags: 'a' | 'w',
  most: number,
  count: (bytes: number) => void,
): Promise<void> {
  const file = await open(path, flags);
  try {
    let got = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      got += chunk.length;
      if (got > most) throw new Error('the server sent more than was asked for');
      await file.writeFile(chunk);
      count(chunk.length);
    }
  } finally {
    await file.close();
  }
}
