/** multipart/form-data: files are pictures, fields are options. Limits hold while the parts come; a part that is neither is refused. */
import type { IncomingMessage } from 'node:http';
import { MIMEType } from 'node:util';
import { Dicer } from '@fastify/busboy';
import { CraneError } from '../../errors.js';
import { Gathered } from './gathered.js';
import { type NamedPicture, type RequestLimits, safeName } from './named-picture.js';
import { headOfPart, k_maxHeadersOfPart, type PartHead } from './part-head.js';
import { countedBody } from './read-body.js';
import { type ChoicesReader, k_maxChoice } from './request-options.js';

const k_maxFields = 64;

interface Form {
  pictures: { name: string; label: string; gathered: Gathered }[];
  fields: number;
  /** the first, which ends the reading */
  fault?: CraneError;
}

/** @throws CraneError E_HTTP_*, E_USAGE, E_QUEUE_FULL, E_CANCELLED */
export async function readForm(
  request: IncomingMessage,
  reader: ChoicesReader,
  limits: RequestLimits,
): Promise<NamedPicture[]> {
  const form: Form = { pictures: [], fields: 0 };
  const parser = makeParser(request);
  const parts: Promise<void>[] = [];
  // The parts themselves and not the package's reader of forms: that one leaves out a part whose head it cannot read.
  parser.on('part', (part) => parts.push(takePart(part, form, reader, limits)));
  const ended = new Promise<unknown>((resolve) => {
    parser.on('finish', () => resolve(Promise.all(parts)));
    parser.on('error', (cause) => {
      form.fault ??= new CraneError('E_HTTP_REQUEST', 'the form is not well formed', { cause });
      resolve(undefined);
    });
  });
  // The first fault ends the reading: what else comes is not worth its memory.
  for await (const chunk of countedBody(request, limits)) {
    if (!parser.write(chunk)) await new Promise<void>((resolve) => setImmediate(resolve));
    if (form.fault) throw form.fault;
  }
  parser.end();
  await inTime(ended, limits.requestTimeoutMs);
  if (form.fault) throw form.fault;
  return form.pictures.map(({ name, label, gathered }) => ({ name, label, bytes: gathered.whole() }));
}

function makeParser(request: IncomingMessage): Dicer {
  try {
    const boundary = new MIMEType(request.headers['content-type']!).params.get('boundary');
    if (!boundary) throw new TypeError('no boundary');
    // One more, so that it can be told that there are too many.
    return new Dicer({ boundary, maxHeaderPairs: k_maxHeadersOfPart + 1 });
  } catch (cause) {
    throw new CraneError('E_HTTP_REQUEST', 'the form has no boundary', { cause });
  }
}

/** Resolves once the part is over; what is wrong with it becomes the form's fault. */
function takePart(
  part: Dicer.PartStream,
  form: Form,
  reader: ChoicesReader,
  { maxFiles }: RequestLimits,
): Promise<void> {
  const gathered = new Gathered();
  let bytes = 0;
  let head: PartHead | undefined;
  const attempt = (work: () => void) => {
    if (form.fault) return;
    try {
      work();
    } catch (thrown) {
      form.fault = thrown as CraneError;
    }
  };
  part.on('header', (header) =>
    attempt(() => {
      head = headOfPart(header as Record<string, string[]>);
      if (!head.isFile) {
        if (++form.fields > k_maxFields) throw tooMany('fields', k_maxFields);
        return;
      }
      if (form.pictures.length === maxFiles) throw tooMany('pictures', maxFiles);
      const name = safeName(head.filename, form.pictures.length);
      form.pictures.push({ name, label: head.name, gathered });
    }),
  );
  part.on('data', (chunk: Buffer) =>
    attempt(() => {
      bytes += chunk.length;
      if (head?.isFile === false && bytes > k_maxChoice)
        throw new CraneError('E_HTTP_TOO_LARGE', 'a field of the form is too long');
      gathered.add(chunk);
    }),
  );
  // The parser tells it of its own too.
  part.on('error', () => {});
  return new Promise((resolve) => {
    part.on('end', () => {
      attempt(() => {
        if (!head) throw new CraneError('E_HTTP_REQUEST', 'a part of the form ends within its head');
        if (!head.isFile) reader.takeText(head.name, textOf(gathered.whole(), head));
      });
      resolve();
    });
  });
}

function tooMany(what: string, limit: number): CraneError {
  return new CraneError('E_HTTP_TOO_LARGE', `the form has more than ${limit} ${what}`);
}

function textOf(bytes: Buffer, { name, charset }: PartHead): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (cause) {
    const field = JSON.stringify(name.slice(0, 80));
    throw new CraneError('E_HTTP_REQUEST', `the field ${field} of the form is no text`, { cause });
  }
}

/** All bytes are here: a parser that does not end now never will, and would hold the request's place for ever. */
async function inTime(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new CraneError('E_HTTP_TIMEOUT', 'the form was not read to its end in time')),
      ms,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
