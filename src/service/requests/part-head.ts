/** The head of a part of a form: what the part is called, and whether it is a file (RFC 7578). */
import { MIMEType } from 'node:util';
import { CraneError } from '../../errors.js';

export const k_maxHeadersOfPart = 16;

export interface PartHead {
  /** of the field; empty where a file has none */
  name: string;
  isFile: boolean;
  /** without folders; empty where there is none */
  filename: string;
  /** of a field's text */
  charset: string;
}

/** @param header values by names in lower case, each byte a character. @throws CraneError E_HTTP_REQUEST */
export function headOfPart(header: Record<string, string[]>): PartHead {
  if (Object.values(header).flat().length > k_maxHeadersOfPart)
    throw new CraneError('E_HTTP_REQUEST', `a part of the form has more than ${k_maxHeadersOfPart} headers`);
  // The same but for the slash: a word, and parameters that may be quoted.
  const disposition = parsed(header, 'content-disposition', 'part/');
  if (disposition?.subtype !== 'form-data') {
    throw new CraneError('E_HTTP_REQUEST', 'a part of the form is neither a picture nor an option', {
      hint: 'the head of each part has a line Content-Disposition: form-data; name="..."',
    });
  }
  const { params } = disposition;
  const name = utf8(params.get('name'));
  const filename = extended(params.get('filename*')) ?? utf8(params.get('filename'));
  // What a file says of its type is not looked at: its first bytes tell.
  const type = filename === undefined ? parsed(header, 'content-type') : undefined;
  const isFile = filename !== undefined || type?.essence === 'application/octet-stream';
  if (!isFile && name === undefined)
    throw new CraneError('E_HTTP_REQUEST', 'a field of the form has no name');
  return {
    name: name ?? '',
    isFile,
    filename: (filename ?? '').replace(/^.*[\\/]/s, ''),
    charset: type?.params.get('charset') ?? 'utf-8',
  };
}

function parsed(header: Record<string, string[]>, name: string, before = ''): MIMEType | undefined {
  const [value, second] = header[name] ?? [];
  if (value === undefined) return undefined;
  try {
    if (second !== undefined) throw new TypeError('given twice');
    return new MIMEType(`${before}${value}`);
  } catch (cause) {
    throw new CraneError('E_HTTP_REQUEST', `a part of the form has a ${name} that cannot be read`, { cause });
  }
}

function utf8(text: string | null): string | undefined {
  return text === null ? undefined : Buffer.from(text, 'latin1').toString();
}

/** As older clients write names that are not ASCII: utf-8''%C3%A4.png (RFC 8187). */
function extended(text: string | null): string | undefined {
  if (text === null) return undefined;
  try {
    const [, value] = /^utf-8'[^']*'(.*)$/i.exec(text)!;
    return decodeURIComponent(value!);
  } catch (cause) {
    throw new CraneError('E_HTTP_REQUEST', 'the name of a file in the form cannot be read', { cause });
  }
}
