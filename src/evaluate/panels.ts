/** A panel of every tested picture (images/panel.ts), drawn while its map is at hand. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import { removeLeft } from '../files/left-files.js';
import { isThere, writeWhole } from '../files/write-whole.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import { decodePicture } from '../images/decode.js';
import { type PanelMask, type PanelStyle, panelFile } from '../images/panel.js';
import { toPictureSource } from '../images/picture-input.js';
import type { Reading } from '../images/reading.js';
import type { MapValues } from '../metrics/index.js';
import { OutputNames } from '../sinks/output-names.js';
import type { PlacedItem } from './test-data.js';

export interface PanelWork {
  engine: Engine;
  reading: Reading;
  maxPixels: number;
  style: PanelStyle;
}

export class Panels {
  constructor(
    readonly folder: string,
    readonly work: PanelWork,
  ) {}

  /** @throws CraneError E_EXISTS for a folder that holds something nobody allowed to be gone on with or replaced */
  static async checkFree(
    folder: string,
    { resume, force }: { resume: boolean; force: boolean },
  ): Promise<void> {
    if (resume || force) return void (await removeLeft(folder, { below: true }));
    const names = await readdir(folder).catch(() => []);
    if (names.length > 0)
      throw new CraneError('E_EXISTS', `${folder}: is not empty, and panels go there`, {
        hint: 'choose another folder for --panels, or give --resume or --force',
      });
  }

  /**
   * @param set of the data set, fit for a path
   * @param isKept the picture was scored by an earlier process: what that one drew stays
   * @throws CraneError E_IMAGE_*, E_DATA_MASK_SIZE, E_IO_WRITE
   */
  async draw(
    set: string,
    item: PlacedItem,
    map: MapValues,
    mask: PanelMask,
    { isKept }: { isKept: boolean },
  ): Promise<void> {
    const path = join(this.folder, ...panelName(set, item).split('/'));
    if (isKept && (await isThere(path))) return;
    const { engine, reading, maxPixels, style } = this.work;
    const { addon, budget } = engine.trainingParts;
    const ticket = budget.open();
    try {
      const reserve = (bytes: number) => ticket.take(bytes);
      const picture = await decodePicture(toPictureSource(item.image), { maxPixels, reading, reserve });
      const panel = await panelFile(addon, picture, mask, new AnomalyMap(map, addon), style);
      await writeWhole(path, panel, { overwrite: true });
    } finally {
      ticket.close();
    }
  }
}

/** SET/CLASS/KIND/00012_NAME.png: the number keeps names of one picture apart from another's, in the set's order. */
export function panelName(set: string, { className, kind, imagePath, index }: PlacedItem): string {
  const name = imagePath.split(/[\\/]/).at(-1) ?? '';
  const own = `${String(index).padStart(5, '0')}_${name.replace(/\.[^.]*$/, '')}`;
  const part = (text: string) => text.replace(/[\\/]/g, '_') || '_';
  // Its ending is taken off: what is before must not lose one.
  return `${new OutputNames().claim([set, part(className), part(kind), `${part(own)}.png`].join('/'))}.png`;
}
