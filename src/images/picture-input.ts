/** What the library takes as a picture, brought to three plain kinds: a file, bytes of a file, or pixels. */

import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { CraneError } from '../errors.js';
import { checkPath, wrongValue } from '../options/check.js';
import { shownAddress } from '../terminal/shown-address.js';
import { type ByteStream, isByteStream } from './picture-stream.js';
import { checkFrame, type RawPicture } from './raw-frame.js';

/**
 * A path, a `file:` or `data:` URL, the bytes of a picture file, a Blob, File or stream of them (of Node or of the web, read once),
 * or pixels.
 */
export type PictureInput = string | URL | Uint8Array | ArrayBuffer | Blob | ByteStream | RawPicture;

export type PictureFile = { name: string } & (
  | { kind: 'file'; path: string }
  | { kind: 'bytes'; bytes: Uint8Array }
);

export type PictureSource =
  | PictureFile
  | { name: string; kind: 'blob'; blob: Blob }
  | { name: string; kind: 'stream'; stream: ByteStream }
  | { name: string; kind: 'pixels'; frame: RawPicture };

/** @throws CraneError E_USAGE, E_INPUT_URL or E_IMAGE_SHAPE; reads nothing */
export function toPictureSource(input: unknown, name?: string): PictureSource {
  if (typeof input === 'string') return fromText(input, name);
  if (input instanceof URL) return fromText(input.href, name);
  if (types.isArrayBuffer(input)) {
    return { kind: 'bytes', bytes: new Uint8Array(input), name: name ?? '<bytes>' };
  }
  if (types.isUint8Array(input)) return { kind: 'bytes', bytes: input, name: name ?? '<bytes>' };
  if (isBlob(input)) return { kind: 'blob', blob: input, name: name ?? nameOfInput(input) };
  if (typeof input === 'object' && input !== null && isByteStream(input))
    return { kind: 'stream', stream: input, name: name ?? '<stream>' };
  if (typeof input === 'object' && input !== null && 'data' in input) {
    return { kind: 'pixels', frame: checkFrame(input as RawPicture), name: name ?? '<pixels>' };
  }
  throw wrongValue(
    'a path, a URL, bytes, a Blob, a stream or { data, width, height, channels }',
    'the picture',
    input,
  );
}

/** A short name for results and messages, also of inputs that cannot be opened. */
export function nameOfInput(input: unknown): string {
  if (input instanceof URL || typeof input === 'string') {
    const text = String(input);
    return text.startsWith('data:') ? `${text.slice(0, 32).split(',')[0]},...` : text;
  }
  if (isBlob(input)) return (input as { name?: string }).name || '<bytes>';
  if (typeof input === 'object' && input !== null && isByteStream(input)) return '<stream>';
  return types.isUint8Array(input) || types.isArrayBuffer(input) ? '<bytes>' : '<pixels>';
}

/** Also one that a test runner's own globals made. */
function isBlob(input: unknown): input is Blob {
  return /^\[object (?:Blob|File)\]$/.test(Object.prototype.toString.call(input));
}

function fromText(text: string, name: string | undefined): PictureSource {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'data') return { kind: 'bytes', bytes: dataUrlBytes(text), name: name ?? nameOfInput(text) };
  if (scheme === 'file') return { kind: 'file', path: filePath(text), name: name ?? text };
  if (scheme !== undefined && text.startsWith(`${scheme}://`)) {
    throw new CraneError(
      'E_INPUT_URL',
      `${shownAddress(text).slice(0, 200)}: URLs of kind "${scheme}" are not read`,
      {
        hint: 'scoring opens no connection: download the picture and give its path or bytes',
      },
    );
  }
  checkPath('the picture', text);
  return { kind: 'file', path: text, name: name ?? text };
}

function filePath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new CraneError('E_INPUT_URL', `${url.slice(0, 200)}: not the URL of a local file`, { cause });
  }
}

function dataUrlBytes(url: string): Uint8Array {
  const comma = url.indexOf(',');
  if (comma < 0) throw new CraneError('E_INPUT_URL', 'a data: URL without a comma holds no data');
  const body = url.slice(comma + 1);
  if (/;\s*base64\s*$/i.test(url.slice(0, comma))) return Buffer.from(body, 'base64');
  const bytes = body.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}
