/** `data check --sheet`: pictures of a data set with their masks on one page, to be looked at in a minute. */
import { availableParallelism } from 'node:os';
import { throwIfCancelled } from '../../cancellation.js';
import type { CheckReport } from '../../data/check/check-data-set.js';
import type { DataSet } from '../../data/data-set.js';
import { eachBounded } from '../../data/each-bounded.js';
import type { CraneError } from '../../errors.js';
import { writeWhole } from '../../files/write-whole.js';
import { ByteBudget } from '../../images/byte-budget.js';
import type { Reading } from '../../images/reading.js';
import { defaultOf } from '../../options/table.js';
import { chooseForSheet, type SheetLimits, type SheetPicture } from './choose.js';
import { sheetPage } from './page.js';
import { type Thumbnail, thumbnailOf } from './thumbnail.js';

/** About 8 kB each: a page of 6 MB at most. */
export const k_sheetLimits: SheetLimits = { withFindings: 24, others: 24, total: 600 };

export interface SheetRequest {
  file: string;
  overwrite: boolean;
  report: CheckReport;
  sets: readonly DataSet[];
  maxPixels: number;
  reading: Reading;
  signal: AbortSignal;
  limits?: SheetLimits;
}

/** @returns how many pictures are shown. @throws CraneError E_EXISTS, E_IO_WRITE, E_CANCELLED */
export async function writeSheet({
  file,
  overwrite,
  report,
  sets,
  maxPixels,
  reading,
  signal,
  limits = k_sheetLimits,
}: SheetRequest): Promise<{ shown: number; pictures: number }> {
  const groups = chooseForSheet(sets, report.findings, limits);
  const chosen = groups.flatMap(({ shown }) => shown);
  const budget = new ByteBudget(defaultOf('maxDecodedBytes'));
  const thumbnails = new Map<SheetPicture, Thumbnail | CraneError>();
  await eachBounded(chosen, availableParallelism() + 1, async (picture) => {
    throwIfCancelled(signal);
    const ticket = budget.open();
    try {
      const reserve = (bytes: number) => ticket.take(bytes);
      thumbnails.set(picture, await thumbnailOf(picture.item, { maxPixels, reading, reserve }));
    } finally {
      ticket.close();
    }
  });
  const page = sheetPage({ report, groups, thumbnailOf: (picture) => thumbnails.get(picture)! });
  await writeWhole(
    file,
    [...page].map((part) => Buffer.from(part)),
    { overwrite },
  );
  return { shown: chosen.length, pictures: groups.reduce((sum, { count }) => sum + count, 0) };
}
