/** From an HTTP request to pictures and choices, of scoring and of learning: a raw picture, a form, or JSON with base64. */
import type { IncomingMessage } from 'node:http';
import { CraneError } from '../../errors.js';
import { wrongValue } from '../../options/check.js';
import { doubledKey } from './doubled-key.js';
import { readForm } from './form.js';
import {
  k_maskName,
  type NamedPicture,
  type PictureKinds,
  type RequestLimits,
  safeName,
} from './named-picture.js';
import { readBody, readJsonBody } from './read-body.js';
import { ChoicesReader, type RequestChoices } from './request-options.js';

export interface AskedPictures {
  pictures: NamedPicture[];
  choices: RequestChoices;
  /** a body that is one picture, and so has one result instead of a list */
  isSingle: boolean;
  /** what is ignored of each picture */
  mask?: NamedPicture;
}

/** @throws CraneError E_HTTP_*, E_USAGE, E_QUEUE_FULL, E_CANCELLED */
export async function readPictures(
  request: IncomingMessage,
  limits: RequestLimits,
  kinds: PictureKinds,
  reader: ChoicesReader = new ChoicesReader(),
): Promise<AskedPictures> {
  reader.takeQuery(queryOf(request));
  const type = mediaType(request);
  if (type === 'multipart/form-data') {
    const pictures = await readForm(request, reader, limits);
    checkFields(pictures, kinds);
    return finished(pictures, reader.choices, false, limits, kinds);
  }
  if (type === 'application/json') {
    const pictures = picturesOfJson(await readJsonBody(request, limits), reader, limits, kinds);
    return finished(pictures, reader.choices, false, limits, kinds);
  }
  if (type === 'application/octet-stream' || type.startsWith('image/')) {
    const bytes = await readBody(request, limits);
    return finished([{ name: 'picture', bytes }], reader.choices, true, limits, kinds);
  }
  throw new CraneError('E_HTTP_TYPE', `bodies of type ${JSON.stringify(type.slice(0, 80))} are not read`, {
    hint: 'send image/* or application/octet-stream, multipart/form-data, or application/json',
  });
}

/** What follows the first question mark; further ones are of the query (RFC 3986, 3.4). */
export function queryOf({ url = '' }: IncomingMessage): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at + 1);
}

export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

/** @throws CraneError E_HTTP_REQUEST */
function checkFields(pictures: readonly NamedPicture[], { fields }: PictureKinds): void {
  const strange = fields && pictures.find(({ label = '' }) => !fields.includes(label));
  if (!strange) return;
  const field = JSON.stringify(strange.label?.slice(0, 80));
  throw new CraneError(
    'E_HTTP_REQUEST',
    `${strange.name}: pictures of the field ${field} are not taken here`,
    {
      hint: `send pictures as the field ${fields.map((name) => `"${name}"`).join(' or ')}`,
    },
  );
}

function finished(
  given: NamedPicture[],
  choices: RequestChoices,
  isSingle: boolean,
  { place }: RequestLimits,
  { takesMask = false }: PictureKinds,
): AskedPictures {
  const isMask = ({ label }: NamedPicture) => takesMask && label === k_maskName;
  const pictures = given.filter((one) => !isMask(one));
  const [mask, second] = given.filter(isMask);
  if (second) throw new CraneError('E_HTTP_REQUEST', `the mask "${k_maskName}" is given twice`);
  if (pictures.length === 0) throw new CraneError('E_HTTP_REQUEST', 'there is no picture in the request');
  place.holdPictures(pictures.length);
  return { pictures, choices, isSingle, ...(mask ? { mask } : {}) };
}

/** @throws CraneError E_HTTP_REQUEST */
export function parseJson(body: Uint8Array): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    value = JSON.parse(text);
  } catch (cause) {
    throw new CraneError('E_HTTP_REQUEST', 'the body is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CraneError('E_HTTP_REQUEST', 'the body is not a JSON object');
  const doubled = doubledKey(text);
  if (doubled !== undefined)
    throw new CraneError('E_HTTP_REQUEST', `${JSON.stringify(doubled.slice(0, 80))} is given twice`);
  return value as Record<string, unknown>;
}

function picturesOfJson(
  body: Buffer,
  reader: ChoicesReader,
  { maxFiles }: RequestLimits,
  { takesMask = false, hasLabels = false }: PictureKinds,
): NamedPicture[] {
  const { pictures, ...choices } = parseJson(body);
  const masks: NamedPicture[] = [];
  if (takesMask && Object.hasOwn(choices, k_maskName)) {
    masks.push({ name: k_maskName, label: k_maskName, bytes: fromBase64(choices[k_maskName], k_maskName) });
    delete choices[k_maskName];
  }
  for (const [name, value] of Object.entries(choices)) reader.takeJson(name, value);
  if (!Array.isArray(pictures)) throw wrongValue('a list', 'pictures', pictures);
  if (pictures.length > maxFiles)
    throw new CraneError('E_HTTP_TOO_LARGE', `${pictures.length} pictures, the limit is ${maxFiles}`);
  const read = pictures.map((entry: unknown, index) => {
    if (typeof entry !== 'object' || entry === null)
      throw wrongValue('{ name, data }', `pictures[${index}]`, entry);
    const { name, data, label, ...others } = entry as Record<string, unknown>;
    const [strange] = Object.keys(hasLabels || label === undefined ? others : { label });
    if (strange !== undefined)
      throw new CraneError('E_USAGE', `pictures[${index}] takes no ${JSON.stringify(strange.slice(0, 80))}`);
    if (name !== undefined && typeof name !== 'string')
      throw wrongValue('a string', `pictures[${index}].name`, name);
    if (label !== undefined && label !== 'good' && label !== 'bad')
      throw wrongValue('good or bad', `pictures[${index}].label`, label);
    const bytes = fromBase64(data, `pictures[${index}].data`);
    return { name: safeName(name, index), bytes, ...(label === undefined ? {} : { label }) };
  });
  return [...read, ...masks];
}

/** Node skips what is no base64; here it is an error. Linear in its length. @throws CraneError E_HTTP_REQUEST, E_USAGE */
export function fromBase64(data: unknown, where: string): Uint8Array {
  if (typeof data !== 'string') throw wrongValue('base64', where, data);
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  const letters = data.length - padding;
  const bytes = Buffer.from(data, 'base64');
  // Four letters are three bytes, and one letter alone is none.
  if (letters % 4 === 1 || bytes.length !== Math.floor((letters * 3) / 4))
    throw new CraneError('E_HTTP_REQUEST', `${where} is not base64`);
  return bytes;
}
