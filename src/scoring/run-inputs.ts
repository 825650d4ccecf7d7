/** The pictures of a run: all that its inputs or its manifest name, and of these the ones that it is to score. */
import { resolve } from 'node:path';
import type { PictureItem } from '../engine/picture-item.js';
import { CraneError } from '../errors.js';
import type { ScanAccount } from '../scan/scan-account.js';
import { OutputNames } from '../sinks/output-names.js';
import type { ResultsFile } from '../sinks/results-file.js';
import type { RowKind } from '../sinks/row-kind.js';
import { countInputs, listInputs } from '../sources/list-inputs.js';
import type { ListedPicture } from '../sources/listed-picture.js';
import type { OwnChoices } from '../sources/manifest.js';
import { manifestPictures, ownText } from '../sources/manifest-pictures.js';
import { isRemote } from '../stores/open-store.js';
import { checkEarlier } from './earlier-rows.js';
import type { ScoreRun, ScoreRunOptions, ScoreRunOutcome } from './run-types.js';
import { Listing, type Shard, shardOf } from './shards.js';

export interface RunPicture extends ListedPicture {
  /** path without ending, below the output folder */
  stem: string;
}

/** Listing is quick beside scoring, so the bar may know its end from the start. */
export async function countTotal(
  { inputs, options }: ScoreRun,
  onTotal: (count: number) => void,
): Promise<(skipped: number) => void> {
  const { shard, limit = Number.POSITIVE_INFINITY, manifest } = options;
  const isMine = ({ name }: ListedPicture) => isOf(shard, name);
  const mine =
    manifest === undefined
      ? await countInputs(inputs, scanOptions(options), isMine)
      : await countRows(manifest, isMine);
  if (mine === undefined) return () => {};
  const tell = (skipped: number) => onTotal(Math.min(limit, mine - skipped));
  tell(0);
  return tell;
}

async function countRows(manifest: string, isCounted: (listed: ListedPicture) => boolean): Promise<number> {
  let count = 0;
  for await (const listed of manifestPictures(manifest)) if (isCounted(listed)) count++;
  return count;
}

function isOf(shard: Shard | undefined, name: string): boolean {
  return shard === undefined || shardOf(name, shard.count) === shard.index;
}

function scanOptions({ recursive, out, followLinks = false, includeMasks = false }: ScoreRunOptions) {
  // Our own heat maps are no inputs.
  const exclude = out === undefined ? [] : [isRemote(out) ? out : resolve(out)];
  return { recursive, followLinks, includeMasks, exclude };
}

export interface Picking {
  /** undefined: no results are kept */
  results: ResultsFile | undefined;
  /** inputs of results that stay, by the name of their files; undefined: no files are written */
  kept: Map<string, string> | undefined;
  /** of the pictures in flight */
  places: Map<number, RunPicture>;
  outcome: ScoreRunOutcome;
  account: ScanAccount;
  tellTotal: (skipped: number) => void;
  /** what the row of a picture will be like */
  kindOf: (own: OwnChoices | undefined) => Promise<RowKind>;
}

/** The inputs of this shard that have no result yet, or failed. Indexes and names count all inputs, so that shards agree. */
export async function* pickItems(
  { inputs, options, stdin, stop, normalsOf }: ScoreRun,
  { results, kept, places, outcome, account, tellTotal, kindOf }: Picking,
): AsyncGenerator<PictureItem> {
  const { shard, limit = Number.POSITIVE_INFINITY, manifest } = options;
  const names = kept && new OutputNames(kept);
  const listing = new Listing();
  let index = -1;
  let begun = 0;
  const all =
    manifest === undefined
      ? listInputs(inputs, { ...scanOptions(options), account, stdin })
      : manifestPictures(manifest);
  for await (const listed of all) {
    if (stop.aborted) return;
    index++;
    const { name, own } = listed;
    const stem = names?.claim(listed.place, name) ?? '';
    // What is a picture's own decides its score as its name decides its place.
    listing.add(own ? `${name}\0${ownText(own)}` : name);
    if (!isOf(shard, name)) continue;
    const done = results?.earlier.take(name, index);
    if (done) {
      if (manifest !== undefined) checkEarlier(name, done.kind, await kindOf(own));
      if (own) outcome.own[ownText(own)] = done.kind.model;
      outcome.skipped++;
      tellTotal(outcome.skipped);
      continue;
    }
    if (begun === limit) {
      // Only looked at, to know whether the listing ends here.
      account.putBack();
      return;
    }
    begun++;
    places.set(index, { ...listed, stem });
    const compared = normalsOf ? { normals: await normalsOf(listed.input) } : {};
    yield { input: listed.input, name, index, ...own, ...compared };
  }
  if (index < 0 && manifest !== undefined)
    throw new CraneError('E_DATA_EMPTY', `${manifest}: names no pictures`);
  outcome.listed = listing.close();
}
