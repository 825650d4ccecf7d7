/**
 * What `data check` would find about the labels of a set, a line for each kind, before an hour is spent on learning or testing with
 * them. Pictures are not decoded here: what is odd about them is said as they are read.
 */
import { availableParallelism } from 'node:os';
import { throwIfCancelled } from '../../cancellation.js';
import { toCraneError } from '../../errors.js';
import { contentHash } from '../../files/content-hash.js';
import { ByteBudget } from '../../images/byte-budget.js';
import { measurePicture } from '../../images/read-samples.js';
import type { Reading } from '../../images/reading.js';
import { defaultOf } from '../../options/table.js';
import { shellPath } from '../../terminal/shell-word.js';
import { visible } from '../../terminal/visible.js';
import type { DataItem, DataSet } from '../data-set.js';
import { eachBounded } from '../each-bounded.js';
import { checkMask } from './check-mask.js';
import { type Finding, type FindingName, findingTable } from './finding.js';
import { samePictures } from './same-pictures.js';

const k_mostAtOnce = 4;
/** Said by whoever reads the mask for its pixels. */
const k_saidAsRead: readonly FindingName[] = ['turned-mask'];

export interface LookAheadOptions {
  maxPixels: number;
  reading: Reading;
  signal?: AbortSignal | undefined;
  /** kinds that the caller says itself */
  except?: readonly FindingName[];
}

/**
 * Reads every mask, and every picture's bytes for its hash, which is remembered.
 * @returns sentences, the last with the command that tells all
 * @throws CraneError E_CANCELLED, and those that are no fault of a file
 */
export async function lookAhead(
  { items, split, root }: Pick<DataSet, 'items' | 'split' | 'root'>,
  options: LookAheadOptions,
): Promise<string[]> {
  const budget = new ByteBudget(defaultOf('maxDecodedBytes'));
  const looked = await eachBounded(
    items,
    Math.min(k_mostAtOnce, availableParallelism() + 1),
    async (item) => {
      throwIfCancelled(options.signal);
      const ticket = budget.open();
      try {
        const found = await ofMasks(item, options, (bytes) => ticket.take(bytes));
        return { found, hashed: { item, split, hash: await hashOf(item) } };
      } finally {
        ticket.close();
      }
    },
  );
  const except: readonly FindingName[] = [...(options.except ?? []), ...k_saidAsRead];
  const findings = [
    ...looked.flatMap(({ found }) => found),
    ...samePictures(looked.map(({ hashed }) => hashed)),
  ];
  const lines = linesOf(findings.filter(({ kind }) => !except.includes(kind)));
  return lines.length === 0
    ? []
    : [...lines, `each of them, and what mends it: npx crane-native data check ${shellPath(root)}`];
}

async function ofMasks(
  item: DataItem,
  { maxPixels, reading: { exif, maskGrey } }: LookAheadOptions,
  reserve: (bytes: number) => Promise<void>,
): Promise<Finding[]> {
  if (item.masks.length === 0) return [];
  const size = await measurePicture(item.image, exif).catch(faultOfFile);
  return checkMask(item, size, { maxPixels, exif, maskGrey, reserve });
}

function hashOf({ image }: DataItem): Promise<string | undefined> {
  return contentHash(image).catch(faultOfFile);
}

/** Whoever reads the picture says it. */
function faultOfFile(thrown: unknown): undefined {
  const error = toCraneError(thrown);
  if (!/^E_(IMAGE|INPUT|IO_READ)/.test(error.code)) throw error;
  return undefined;
}

/** By the table of findings, faults first. */
function linesOf(findings: readonly Finding[]): string[] {
  return (Object.keys(findingTable) as FindingName[]).flatMap((kind) => {
    const of = findings.filter((entry) => entry.kind === kind);
    const [first] = of;
    if (first === undefined) return [];
    const detail = first.detail === undefined ? '' : ` (${visible(first.detail)})`;
    return [`${findingTable[kind].what}: ${of.length}, for instance ${visible(first.paths[0]!)}${detail}`];
  });
}
