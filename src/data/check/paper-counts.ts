/** Compares a test split with what the paper counted (Table 4). */
import type { DataSet } from '../data-set.js';
import type { PublishedSet } from '../layouts/layout.js';
import { publishedSets } from '../layouts/registry.js';
import { summarise } from '../summary.js';
import { type Finding, finding } from './finding.js';

export interface PaperCounts {
  name: string;
  normal: number;
  anomalous: number;
  isEqual: boolean;
}

export interface Compared {
  paper?: PaperCounts;
  findings: Finding[];
  /** why nothing was compared, where one could expect it */
  notes: string[];
}

/** @param expected what the layout stands for; of a set read from an index: none */
export function comparePaper(test: DataSet, expected: PublishedSet | undefined): Compared {
  const { normal, anomalous, classes } = summarise([test]).sets[0]!;
  const published = publishedSets.find(({ name }) => name === test.published);
  if (published === undefined) {
    const known = classes.filter(({ className }) => expected?.classes.includes(className));
    const isPart = expected !== undefined && known.length > 0 && known.length === classes.length;
    const notes = isPart
      ? [
          `${known.length} of the ${expected.classes.length} classes of ${expected.name}: not compared with the paper`,
        ]
      : [];
    return { findings: [], notes };
  }
  const isEqual = normal === published.normal && anomalous === published.anomalous;
  const paper = { name: published.name, normal: published.normal, anomalous: published.anomalous, isEqual };
  if (isEqual) return { paper, findings: [], notes: [] };
  const detail = [
    `the paper's test split of ${paper.name} has ${paper.normal} normal and ${paper.anomalous} anomalous pictures,`,
    `this one ${normal} (${signed(normal - paper.normal)}) and ${anomalous} (${signed(anomalous - paper.anomalous)})`,
  ].join(' ');
  return { paper, findings: [finding('paper-counts', [], { detail })], notes: [] };
}

function signed(difference: number): string {
  return difference > 0 ? `+${difference}` : String(difference);
}
