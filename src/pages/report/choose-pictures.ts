/** Which pictures the report shows: of each class the most telling first, within a bound for the whole page. */
import { type Examples, isScored, type ScoredPicture, type TestedDataSet } from '../../runs/test-run.js';

export type Role = 'suspicious normal' | 'faint anomalous' | 'clear normal' | 'clear anomalous';

export interface ChosenPicture {
  set: number;
  className: string;
  role: Role;
  picture: ScoredPicture;
}

/** One pass over all classes takes one picture of each; what misleads a threshold comes before what is right. */
const k_passes: readonly { role: Role; from: keyof Examples; at: number }[] = [
  { role: 'faint anomalous', from: 'worstAnomalous', at: 0 },
  { role: 'suspicious normal', from: 'worstNormal', at: 0 },
  { role: 'clear anomalous', from: 'bestAnomalous', at: 0 },
  { role: 'clear normal', from: 'bestNormal', at: 0 },
  { role: 'faint anomalous', from: 'worstAnomalous', at: 1 },
  { role: 'suspicious normal', from: 'worstNormal', at: 1 },
];

export interface PictureChoice {
  /** in the order of sets, classes and roles */
  pictures: ChosenPicture[];
  /** pictures that would have been shown but for the bound */
  leftOut: number;
}

export function choosePictures(sets: readonly TestedDataSet[], most: number): PictureChoice {
  const chosen: (ChosenPicture & { order: number })[] = [];
  const taken = new Set<ScoredPicture>();
  let leftOut = 0;
  const classes = sets.flatMap((set, at) => set.classes.map((one) => ({ set: at, one })));
  for (const { role, from, at } of k_passes) {
    for (const [order, { set, one }] of classes.entries()) {
      const picture = one.pictures[one.examples[from][at] ?? -1];
      if (!picture || !isScored(picture) || taken.has(picture)) continue;
      taken.add(picture);
      if (chosen.length >= most) leftOut++;
      else chosen.push({ set, className: one.className, role, picture, order });
    }
  }
  const roles = k_passes.map((pass) => pass.role);
  chosen.sort((a, b) => a.order - b.order || roles.indexOf(a.role) - roles.indexOf(b.role));
  return { pictures: chosen.map(({ order: _, ...picture }) => picture), leftOut };
}
