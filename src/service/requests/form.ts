/** multipart/form-data: files are pictures, fields are options. Limits hold while the parts come. */
import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { CraneError } from '../../errors.js';
import { Gathered } from './gathered.js';
import { type NamedPicture, type RequestLimits, safeName } from './named-picture.js';
import { countedBody } from './read-body.js';
import { type ChoicesReader, k_maxChoice } from './request-options.js';

const k_maxFields = 64;
const k_maxNameBytes = 100;
const k_maxHeadersOfPart = 16;

/** @throws CraneError E_HTTP_*, E_USAGE, E_QUEUE_FULL, E_CANCELLED */
export async function readForm(
  request: IncomingMessage,
  reader: ChoicesReader,
  limits: RequestLimits,
): Promise<NamedPicture[]> {
  const pictures: { name: string; label: string; gathered: Gathered }[] = [];
  let fault: CraneError | undefined;
  const fail = (error: CraneError) => {
    fault ??= error;
  };
  const parser = makeParser(request, limits);
  // A part without a name comes with undefined, whatever the types say.
  parser.on('file', (label: string | undefined, stream, filename: string | undefined) => {
    const gathered = new Gathered();
    pictures.push({ name: safeName(filename ?? '', pictures.length), label: label ?? '', gathered });
    stream.on('data', (chunk: Buffer) => gathered.add(chunk));
    stream.on('error', () => {});
  });
  parser.on('field', (name: string | undefined, value: string | undefined, isNameCut, isValueCut) => {
    if (name === undefined || value === undefined)
      return fail(new CraneError('E_HTTP_REQUEST', 'a field of the form has no name'));
    if (isNameCut || isValueCut)
      return fail(new CraneError('E_HTTP_TOO_LARGE', 'a field of the form is too long'));
    try {
      reader.takeText(name, value);
    } catch (thrown) {
      fail(thrown as CraneError);
    }
  });
  const tooMany = (what: string, limit: number) => () =>
    fail(new CraneError('E_HTTP_TOO_LARGE', `the form has more than ${limit} ${what}`));
  parser.on('filesLimit', tooMany('pictures', limits.maxFiles));
  parser.on('fieldsLimit', tooMany('fields', k_maxFields));
  parser.on('partsLimit', tooMany('parts', limits.maxFiles + k_maxFields));
  const ended = new Promise<void>((resolve) => {
    parser.on('finish', resolve);
    parser.on('error', (cause: unknown) => {
      fail(new CraneError('E_HTTP_REQUEST', 'the form is not well formed', { cause }));
      resolve();
    });
  });
  // The first fault ends the reading: what else comes is not worth its memory.
  for await (const chunk of countedBody(request, limits)) {
    if (!parser.destroyed && !parser.write(chunk))
      await new Promise<void>((resolve) => setImmediate(resolve));
    if (fault) throw fault;
  }
  parser.end();
  await ended;
  if (fault) throw fault;
  return pictures.map(({ name, label, gathered }) => ({ name, label, bytes: gathered.whole() }));
}

function makeParser(request: IncomingMessage, { maxBody, maxFiles }: RequestLimits): BusboyInstance {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: {
        files: maxFiles,
        fields: k_maxFields,
        parts: maxFiles + k_maxFields,
        fieldNameSize: k_maxNameBytes,
        fieldSize: k_maxChoice,
        fileSize: maxBody,
        headerPairs: k_maxHeadersOfPart,
      },
    });
  } catch (cause) {
    throw new CraneError('E_HTTP_REQUEST', 'the form has no boundary', { cause });
  }
}
