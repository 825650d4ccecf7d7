/** What was odd about the pictures of a run, in one line for each kind. */
import type { NoteKind, PictureNote } from './samples.js';

interface Count {
  pictures: number;
  /** the first of them */
  name: string;
  message: string;
  bits: number;
}

export class NoteTally {
  #pictures = 0;
  readonly #counts = new Map<NoteKind, Count>();

  /** Called for every picture, also where nothing is odd. */
  add(name: string, notes: readonly Pick<PictureNote, 'kind' | 'message' | 'bits'>[]): void {
    this.#pictures++;
    const said = new Set<NoteKind>();
    for (const { kind, message, bits = 0 } of notes) {
      // A picture with several masks counts once.
      if (said.has(kind)) continue;
      said.add(kind);
      const count = this.#counts.get(kind);
      if (!count) this.#counts.set(kind, { pictures: 1, name, message, bits });
      else {
        count.pictures++;
        // Of several depths the largest holds every picture's values.
        if (bits > count.bits) Object.assign(count, { name, message, bits });
      }
    }
  }

  lines(): string[] {
    return [...this.#counts.values()].map(
      ({ pictures, name, message }) =>
        `${pictures} of ${this.#pictures} pictures, for instance ${name}: ${message}`,
    );
  }
}
