/** Learns banks of normal pictures: one picture after the other, so that only one is held decoded at a time. */
import { createHash } from 'node:crypto';
import { types } from 'node:util';
import type { MethodOptions, NativeAddon, NativeEngine } from '../addon/native.js';
import { orCancelled, throwIfCancelled, untilCancelled, withAny } from '../cancellation.js';
import { anyField, checkFields, textField } from '../check-fields.js';
import { CraneError, toCraneError } from '../errors.js';
import { contentHash } from '../files/content-hash.js';
import type { ByteBudget } from '../images/byte-budget.js';
import { decodePicture } from '../images/decode.js';
import { NoteTally } from '../images/note-tally.js';
import { type PictureInput, type PictureSource, toPictureSource } from '../images/picture-input.js';
import { bytesOfStream } from '../images/picture-stream.js';
import { changedLevelReading, type Reading } from '../images/reading.js';
import type { PictureNote } from '../images/samples.js';
import { methodName } from '../methods/descriptor.js';
import { defaultMethod, joinsBank, methodOf } from '../methods/registry.js';
import type { Model } from '../models/model-json.js';
import type { BankFacts } from '../normals/bank-facts.js';
import { copiesAmong, distinctPictures } from '../normals/copies.js';
import { NormalBank } from '../normals/normal-bank.js';
import { wrongValue } from '../options/check.js';
import type { LearnNormalsChoices, PictureChoices } from '../options/types.js';
import type { BankSets } from './bank-sets.js';

/** A picture, alone or with a name for the bank's list. */
export type NormalPicture = PictureInput | { input: PictureInput; name?: string };
export type NormalsSource = Iterable<NormalPicture> | AsyncIterable<NormalPicture>;

export interface LearnNormalsOptions extends LearnNormalsChoices {
  /** what the bank is for: `both` makes one that can stand beside prompts; default: what the engine was loaded for */
  evidence?: PictureChoices['evidence'];
  signal?: AbortSignal;
  /** called after each picture */
  onProgress?: (done: number) => void;
  /** told what was odd about pictures that were learned, a sentence for each kind, once all are learned */
  onNotes?: (lines: string[]) => void;
}

export interface LearningParts {
  addon: NativeAddon;
  native: NativeEngine;
  model: Model;
  /** whose memory is learned, where it keeps one of normal pictures; otherwise a bank of method normals */
  method: MethodOptions;
  banks: BankSets;
  budget: ByteBudget;
  maxPixels: number;
  reading: Reading;
  /** fires when the engine is disposed */
  disposed: AbortSignal;
}

/** Every 45 degrees (docs/normals.md). */
const k_turns = 8;
/** Of the vision tower's depth, where a model does not say which block: late, but not the last. */
const k_depth = 3 / 4;
/** Of a subspace: SubspaceAD's. */
const k_variance = 0.99;

/** @throws CraneError E_NORMALS without a picture, E_USAGE, and those of a picture that cannot be read */
export async function learnBank(
  parts: LearningParts,
  source: NormalsSource,
  options: LearnNormalsOptions,
): Promise<NormalBank> {
  return withAny([options.signal, parts.disposed], (stop) => learnUntil(stop, parts, source, options));
}

async function learnUntil(
  stop: AbortSignal,
  parts: LearningParts,
  source: NormalsSource,
  { signal: _, onProgress, onNotes, evidence: __, ...choices }: LearnNormalsOptions,
): Promise<NormalBank> {
  const { native } = parts;
  checkChoices(parts.method, choices);
  const method = learningMethod(parts, choices);
  const handles: number[] = [];
  const given: BankFacts['pictures'] = [];
  const known = new Set<string>();
  const odd = new NoteTally();
  try {
    for await (const entry of untilCancelled(iterated(source), stop)) {
      const { input, name } = toEntry(entry);
      const picture = await readTwice(toPictureSource(input, name), parts.maxPixels, stop);
      const sha256 = await hashOf(picture);
      given.push({ name: picture.name, sha256 });
      if (!known.has(sha256)) {
        known.add(sha256);
        const { handle, notes } = await learnPicture(parts, picture, method, stop);
        handles.push(handle);
        odd.add(picture.name, notes);
      }
      onProgress?.(given.length);
    }
    throwIfCancelled(stop);
    const bank = await joinedBank(parts, handles, bankFacts(parts, distinctPictures(given), choices));
    const lines = [...copyLines(given), ...odd.lines()];
    if (lines.length > 0) onNotes?.(lines);
    return bank;
  } finally {
    for (const handle of handles) native.removeContext(handle);
  }
}

/** Of pictures that were not learned, since another one has their content. */
function copyLines(given: BankFacts['pictures']): string[] {
  const copies = copiesAmong(given);
  const [first] = copies;
  if (first === undefined) return [];
  return [
    `${copies.length} of ${given.length} pictures, for instance ${first.copy.name}: the content of another one (${first.of.name}), and counted once with it`,
  ];
}

/**
 * A bank of which all pictures are in those before it is left out: they would count twice.
 * @param size rows that are chosen of all
 * @throws CraneError E_NORMALS for none, for banks that hold other patches or copies, or rows that were chosen
 */
export async function mergeBanks(
  parts: LearningParts,
  banks: readonly NormalBank[],
  size?: number,
): Promise<NormalBank> {
  // A hole is no bank either, and every() passes it over.
  const isList = Array.isArray(banks) && [...banks].every((bank) => bank instanceof NormalBank);
  if (!isList) throw wrongValue('a list of banks', 'banks', banks);
  const [first] = banks;
  if (first === undefined) throw new CraneError('E_NORMALS', 'no bank was given to be merged');
  if (banks.some(({ facts }) => facts.size !== undefined)) throw chosenAlready();
  const kindOf = ({ facts: { pictures: _, model: __, ...kind } }: NormalBank) => JSON.stringify(kind);
  if (banks.some((bank) => kindOf(bank) !== kindOf(first))) {
    throw new CraneError(
      'E_NORMALS',
      'banks of another model, of other blocks, of another kind, with other copies or for other evidence cannot be merged',
    );
  }
  const joining = withNewPictures(banks);
  const held = new Map<NormalBank, { handle: number; release(): void }>();
  try {
    // One that is left out has to be of this engine, and there, all the same.
    for (const bank of new Set(banks)) held.set(bank, bank.hold(parts.native));
    const pictures = joining.flatMap(({ facts }) => facts.pictures);
    const bank = await joinedBank(
      parts,
      joining.map((each) => held.get(each)!.handle),
      { ...first.facts, ...(size === undefined ? {} : { size }), pictures },
    );
    parts.banks.tellOfMerge(bank, { leftOut: banks.length - joining.length, of: banks.length });
    return bank;
  } finally {
    for (const { release } of held.values()) release();
  }
}

/** Those that have a picture that is in none before them. */
function withNewPictures(banks: readonly NormalBank[]): NormalBank[] {
  const known = new Set<string>();
  return banks.filter(({ facts: { pictures } }) => {
    const before = known.size;
    for (const { sha256 } of pictures) known.add(sha256);
    return known.size > before;
  });
}

/** Of a bank that nothing can be added to. */
export function chosenAlready(): CraneError {
  return new CraneError(
    'E_NORMALS',
    'a bank of chosen rows (bankSize) takes no further pictures: the rows that were not chosen are gone',
    { hint: 'learn it again from all pictures, the further ones too' },
  );
}

/** What a bank of these pictures says of itself. */
export function bankFacts(
  {
    model,
    banks,
    native,
    method,
    reading,
  }: Pick<LearningParts, 'model' | 'banks' | 'native' | 'method' | 'reading'>,
  pictures: BankFacts['pictures'],
  choices: LearnNormalsChoices,
): BankFacts {
  const settings = methodOf(method).remembers?.(method);
  const changed = changedLevelReading(reading);
  const read = {
    ...(changed === undefined ? {} : { reading: changed }),
    ...(reading.exif ? {} : { asStored: true as const }),
  };
  if (settings !== undefined) {
    return {
      model: model.name,
      towers: banks.towers,
      tower: 'vision',
      blocks: [],
      turns: 1,
      mirror: false,
      method: methodName(method),
      settings,
      ...read,
      pictures,
    };
  }
  const beside = methodOf(method).besideBank?.(method);
  const own = model.normals ?? {};
  const tower = choices.bankTower ?? own.tower ?? 'vision';
  const usual = [Math.max(1, Math.round(native.facts.vision.layers * k_depth))];
  return {
    model: model.name,
    towers: banks.towers,
    tower,
    blocks: tower === 'source' ? [] : [...(choices.bankBlocks ?? own.blocks ?? usual)],
    turns: choices.turns ?? own.turns ?? k_turns,
    mirror: choices.mirror ?? own.mirror ?? false,
    ...keepingOf(choices, own),
    ...(beside === undefined ? {} : { beside }),
    ...read,
    pictures,
  };
}

/** How the patches are kept, where that is not as usual. @throws CraneError E_USAGE for what would change nothing */
function keepingOf(
  { bankKind, bankVariance, bankSize, bankForeground, bankPrecision }: LearnNormalsChoices,
  own: NonNullable<Model['normals']>,
): Pick<BankFacts, 'kind' | 'variance' | 'size' | 'foreground' | 'precision'> {
  const kind = bankKind ?? own.kind ?? 'nearest';
  const shown = (bankForeground ?? own.foreground) ? { foreground: true as const } : {};
  if (kind === 'subspace') {
    const [unused] = Object.entries({ bankSize, bankPrecision }).filter(([, value]) => value !== undefined);
    if (unused === undefined) return { kind, variance: bankVariance ?? own.variance ?? k_variance, ...shown };
    throw new CraneError('E_USAGE', `${unused[0]} says which rows a bank keeps, and a subspace keeps none`, {
      hint: 'leave it out, or learn a bank of all patches: --bank-kind nearest (bankKind)',
    });
  }
  if (bankVariance !== undefined)
    throw new CraneError('E_USAGE', 'bankVariance says how a subspace is fitted, and the bank has rows', {
      hint: 'leave it out, or learn a subspace: --bank-kind subspace (bankKind)',
    });
  const precision = bankPrecision ?? own.precision ?? 'float32';
  return {
    ...(bankSize === undefined ? {} : { size: bankSize }),
    ...shown,
    ...(precision === 'float32' ? {} : { precision }),
  };
}

/** What learns further pictures as these were. */
export function choicesOf({
  tower,
  blocks,
  turns,
  mirror,
  kind,
  variance,
  size,
  foreground,
  precision,
}: BankFacts): LearnNormalsChoices {
  return {
    bankTower: tower,
    ...(tower === 'vision' ? { bankBlocks: blocks } : {}),
    turns,
    mirror,
    bankKind: kind ?? 'nearest',
    bankForeground: foreground ?? false,
    ...(kind === 'subspace' ? {} : { bankPrecision: precision ?? 'float32' }),
    ...(variance === undefined ? {} : { bankVariance: variance }),
    ...(size === undefined ? {} : { bankSize: size }),
  };
}

/** @throws CraneError E_USAGE for what would change nothing */
export function checkChoices(method: MethodOptions, choices: LearnNormalsChoices): void {
  const [unused] = Object.entries(choices).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (unused === undefined || methodOf(method).remembers === undefined) return;
  throw new CraneError(
    'E_USAGE',
    `${unused} says how a bank of method normals is learned; method ${methodName(method)} keeps normal pictures in its own way`,
    { hint: `leave ${unused} out, or take --method normals` },
  );
}

function learningMethod(parts: LearningParts, choices: LearnNormalsChoices): MethodOptions {
  if (methodOf(parts.method).remembers !== undefined) return parts.method;
  const facts = bankFacts(parts, [], choices);
  // Rows are chosen of all pictures, once they are joined.
  const { bankSize: _, ...learning } = { ...choicesOf(facts), bankBlocks: facts.blocks };
  const own = joinsBank(parts.method) ? parts.method : defaultMethod('normals');
  return { ...own, ...learning } as MethodOptions;
}

async function joinedBank(
  { native, method }: LearningParts,
  handles: readonly number[],
  facts: BankFacts,
): Promise<NormalBank> {
  if (handles.length === 0) {
    throw new CraneError('E_NORMALS', 'a bank needs a normal picture, and none was given', {
      hint: 'name pictures of good parts; four are enough to begin with',
    });
  }
  const isMemory = facts.method !== undefined;
  const contexts = { [isMemory ? 'memory' : 'bank']: [...handles] };
  const joining = isMemory ? method : { ...defaultMethod('normals'), ...choosing(facts) };
  const handle = await native.addContext({ texts: {}, files: {}, contexts }, joining);
  return new NormalBank(native, handle, withLeftOut(facts, native.leftOut(handle)));
}

/** @param counts of each picture; none where the bank takes them whole */
function withLeftOut(facts: BankFacts, counts: ReturnType<NativeEngine['leftOut']>): BankFacts {
  const pictures = facts.pictures.map(({ name, sha256 }, at) => ({ name, sha256, ...counts[at] }));
  return { ...facts, pictures };
}

function choosing({ size }: BankFacts): object {
  return size === undefined ? {} : { bankSize: size };
}

async function learnPicture(
  { native, budget, maxPixels, reading }: LearningParts,
  source: PictureSource,
  method: MethodOptions,
  stop: AbortSignal,
): Promise<{ handle: number; notes: readonly PictureNote[] }> {
  const ticket = budget.open();
  try {
    const reserve = (bytes: number) => orCancelled(ticket.take(bytes), stop);
    const picture = await decodePicture(source, { maxPixels, reading, reserve, signal: stop });
    const handle = await native.addContext({ texts: {}, files: {}, normals: [picture] }, method);
    return { handle, notes: picture.notes ?? [] };
  } catch (thrown) {
    const error = toCraneError(thrown);
    if (error.message.includes(source.name) || error.exitCode !== 3) throw error;
    throw new CraneError(error.code, `${source.name}: ${error.message}`, { hint: error.hint, cause: thrown });
  } finally {
    ticket.close();
  }
}

/** A stream is read once: its bytes are kept for the hash and for the picture. */
async function readTwice(
  source: PictureSource,
  maxPixels: number,
  signal: AbortSignal,
): Promise<Exclude<PictureSource, { kind: 'stream' }>> {
  if (source.kind !== 'stream') return source;
  const { name, stream } = source;
  return { name, kind: 'bytes', bytes: await bytesOfStream(name, stream, { maxPixels, signal }) };
}

/** Of the file's bytes, or of the pixels and their shape. */
export async function hashOf(source: Exclude<PictureSource, { kind: 'stream' }>): Promise<string> {
  if (source.kind === 'file') return contentHash(source.path);
  const hash = createHash('sha256');
  if (source.kind === 'bytes') return hash.update(source.bytes).digest('hex');
  if (source.kind === 'blob')
    return hash.update(new Uint8Array(await source.blob.arrayBuffer())).digest('hex');
  const { data, width, height, channels, bits, stride, bayer } = source.frame;
  // In this order, whatever the caller's is; of 8-bit data `bits` says nothing.
  const isWide = types.isUint16Array(data);
  hash.update(JSON.stringify({ width, height, channels, bits: isWide ? bits : undefined, bayer }));
  const row = width * channels;
  const step = stride ?? row;
  // Without what stands between the rows.
  for (let y = 0; y < height; y++) {
    const { buffer, byteOffset, byteLength } = data.subarray(y * step, y * step + row);
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

export function iterated(source: NormalsSource): NormalsSource {
  const isSource =
    typeof source === 'object' &&
    source !== null &&
    (Symbol.iterator in source || Symbol.asyncIterator in source);
  if (isSource && !types.isUint8Array(source)) return source;
  throw wrongValue('a list of pictures', 'the normal pictures', source);
}

/** @throws CraneError E_USAGE for fields that it does not have, and a name that is no text */
export function toEntry(entry: NormalPicture): { input: PictureInput; name?: string | undefined } {
  const isEntry = typeof entry === 'object' && entry !== null && 'input' in entry;
  if (!isEntry) return { input: entry };
  checkFields('a normal picture', entry, { input: anyField, name: textField });
  return entry;
}
