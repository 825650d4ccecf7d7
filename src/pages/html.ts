/** HTML in which every text is escaped unless it was made by `html` itself: names of files and classes are hostile. */

/** Markup that is safe to put into a page. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

export type Piece = Html | string | number | null | undefined | false | readonly Piece[];

/** Pieces are escaped for text and for quoted attributes alike; lists are joined, nothing is shown for null and false. */
export function html(strings: TemplateStringsArray, ...pieces: Piece[]): Html {
  let text = strings[0]!;
  for (const [at, piece] of pieces.entries()) text += textOf(piece) + strings[at + 1]!;
  return new Html(text);
}

function textOf(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'number') return String(piece);
  return typeof piece === 'string' ? escapeHtml(piece) : piece.map(textOf).join('');
}

const k_names: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Signs with a meaning become names. Control characters, which HTML forbids or ignores, and signs that turn the direction
 * of writing, with which a name can pretend to be another, become visible.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (sign) =>
      sign === '\n' || sign === '\t' ? ' ' : '\ufffd',
    )
    .replace(/[&<>"']/g, (sign) => k_names[sign]!);
}

/** A value inside a script element of type application/json. */
export function jsonData(value: unknown): Html {
  return new Html(
    JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}

export function dataUrl(bytes: Uint8Array, type: 'png' | 'jpeg'): string {
  return `data:image/${type};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}
