/**
 * Pictures of one content among those of a bank. The nearest neighbour of one is the other, so their own scores say nothing of
 * a new picture.
 */
import type { BankPicture } from './bank-facts.js';

/** The first of each content. */
export function distinctPictures(pictures: readonly BankPicture[]): BankPicture[] {
  const first = firstPlaces(pictures);
  return pictures.filter(({ sha256 }, at) => first.get(sha256) === at);
}

/** The others, each with the first of its content. */
export function copiesAmong(pictures: readonly BankPicture[]): { copy: BankPicture; of: BankPicture }[] {
  const first = firstPlaces(pictures);
  return pictures.flatMap((copy, at) => {
    const place = first.get(copy.sha256)!;
    return place === at ? [] : [{ copy, of: pictures[place]! }];
  });
}

/** Whether a picture's content is that of no other, for each. */
export function haveNoCopy(pictures: readonly BankPicture[]): boolean[] {
  const copied = new Set(copiesAmong(pictures).map(({ of }) => of.sha256));
  return pictures.map(({ sha256 }) => !copied.has(sha256));
}

function firstPlaces(pictures: readonly BankPicture[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const [at, { sha256 }] of pictures.entries()) if (!places.has(sha256)) places.set(sha256, at);
  return places;
}
