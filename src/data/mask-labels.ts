/** A file that tells which value or colour of a label map has which name: of CVAT, CamVid, or written by hand. */
import { readFile, stat } from 'node:fs/promises';
import { CraneError } from '../errors.js';
import { decodeText } from '../files/text.js';

/** A value of one channel or a palette's number, or a colour as #rrggbb. */
export type MaskMeaning = { number: number } | { colour: string };

const k_mostBytes = 1_000_000;
const k_longestLine = 500;

/** `scratch:255,0,0::` of CVAT, `scratch,255,0,0` of CamVid. */
const k_nameAndChannels = /^(.+?)\s*[:;,=\t]\s*(\d{1,3})\s*[,; ]\s*(\d{1,3})\s*[,; ]\s*(\d{1,3})\s*(?::.*)?$/;
const k_nameAndValue = /^(.*\S)\s*[:;,=\s]\s*(#[0-9a-f]{6}|\d{1,10})$/i;
const k_valueAndName = /^(#[0-9a-f]{6}|\d{1,10})\s*[:;,=\s]\s*(\S.*)$/i;

/**
 * JSON (`{"scratch": 1, "dent": "#ff0000", "hole": [0, 0, 255]}`, or a list of objects with a name and an id, value or color), or
 * a line each: `scratch 1`, `1 scratch`, `dent #ff0000`, `dent:255,0,0::`.
 * @throws CraneError E_INPUT_NOT_FOUND, E_DATA_MASK_VALUES, E_TEXT_ENCODING
 */
export async function readMaskLabels(path: string): Promise<Map<string, MaskMeaning>> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new CraneError('E_INPUT_NOT_FOUND', `${path}: there is no such file`, { cause });
  });
  if (!facts.isFile() || facts.size > k_mostBytes)
    throw wrong(path, facts.isFile() ? 'larger than a list of names is' : 'not a regular file');
  const text = decodeText(await readFile(path), path).trim();
  const labels = /^[{[]/.test(text) ? ofJson(path, text) : ofLines(path, text.split(/\r?\n/));
  if (labels.size === 0) throw wrong(path, 'names no value');
  return labels;
}

function ofJson(path: string, text: string): Map<string, MaskMeaning> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw wrong(path, `not JSON (${(cause as Error).message})`, cause);
  }
  const labels = new Map<string, MaskMeaning>();
  const pairs: [unknown, unknown][] = Array.isArray(parsed)
    ? parsed.map((entry: Record<string, unknown> | null) => [
        entry?.['name'] ?? entry?.['label'],
        entry?.['color'] ?? entry?.['colour'] ?? entry?.['value'] ?? entry?.['id'],
      ])
    : Object.entries(parsed as object);
  for (const [name, value] of pairs) {
    const meaning = meaningOf(value);
    if (typeof name !== 'string' || meaning === undefined)
      throw wrong(path, `${JSON.stringify(name)} has ${JSON.stringify(value)?.slice(0, 80)} for a value`);
    add(path, labels, name, meaning);
  }
  return labels;
}

function meaningOf(value: unknown): MaskMeaning | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? { number: value } : undefined;
  if (typeof value === 'string')
    return /^#[0-9a-f]{6}$/i.test(value) ? { colour: value.toLowerCase() } : undefined;
  return Array.isArray(value) && value.length === 3 ? ofChannels(value) : undefined;
}

function ofLines(path: string, lines: readonly string[]): Map<string, MaskMeaning> {
  const labels = new Map<string, MaskMeaning>();
  for (const [at, whole] of lines.entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith('# ') || line === '#') continue;
    const found = line.length > k_longestLine ? undefined : pairOf(line);
    if (found === undefined) {
      // A table may begin with the names of its columns.
      if (labels.size === 0 && at === 0 && /^[a-z_]+([,;\t ]+[a-z_]+)+$/i.test(line)) continue;
      throw wrong(path, `line ${at + 1}, "${line.slice(0, 60)}", does not say which value a name has`);
    }
    add(path, labels, ...found);
  }
  return labels;
}

function pairOf(line: string): [name: string, meaning: MaskMeaning] | undefined {
  const channels = k_nameAndChannels.exec(line);
  if (channels) {
    const colour = ofChannels(channels.slice(2, 5).map(Number));
    return colour && [channels[1]!, colour];
  }
  const [behind, before] = [k_nameAndValue.exec(line), k_valueAndName.exec(line)];
  // Of two numbers nobody knows which is the name.
  if (behind && before) return undefined;
  if (behind) return [behind[1]!.replace(/[:;,=]$/, '').trim(), toMeaning(behind[2]!)];
  return before ? [before[2]!, toMeaning(before[1]!)] : undefined;
}

function toMeaning(text: string): MaskMeaning {
  return text.startsWith('#') ? { colour: text.toLowerCase() } : { number: Number(text) };
}

function ofChannels(values: readonly unknown[]): MaskMeaning | undefined {
  if (!values.every((value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255))
    return undefined;
  return { colour: `#${values.map((value) => Number(value).toString(16).padStart(2, '0')).join('')}` };
}

function add(path: string, labels: Map<string, MaskMeaning>, name: string, meaning: MaskMeaning): void {
  const known = labels.get(name);
  if (known && JSON.stringify(known) !== JSON.stringify(meaning))
    throw wrong(path, `"${name}" has two values`);
  labels.set(name, meaning);
}

function wrong(path: string, why: string, cause?: unknown): CraneError {
  return new CraneError('E_DATA_MASK_VALUES', `${path}: ${why}`, {
    hint: 'a line each: NAME VALUE or NAME #rrggbb (a plain list of names does not say whether it begins with 0 or 1)',
    ...(cause === undefined ? {} : { cause }),
  });
}
