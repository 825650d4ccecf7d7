/** What `data check` can find, and how bad each of it is. */

export type Severity = 'fault' | 'warning';

interface FindingKind {
  severity: Severity;
  /** heading of the report */
  what: string;
}

export const findingTable = {
  'missing-picture': { severity: 'fault', what: 'pictures that are missing' },
  'missing-mask': { severity: 'fault', what: 'masks that are missing' },
  'outside-root': { severity: 'fault', what: 'paths that lead out of the data set' },
  'damaged-picture': { severity: 'fault', what: 'pictures that cannot be read' },
  'damaged-mask': { severity: 'fault', what: 'masks that cannot be read' },
  'mask-size': { severity: 'fault', what: 'masks of another size than their picture' },
  'same-picture-both-labels': { severity: 'fault', what: 'the same picture as normal and as anomalous' },
  'unused-ground-truth': { severity: 'fault', what: 'ground truth that no picture uses' },
  'odd-picture': { severity: 'warning', what: 'pictures that may not be what they seem' },
  'same-picture': { severity: 'warning', what: 'the same picture several times' },
  'empty-mask': { severity: 'warning', what: 'masks of anomalous pictures with nothing marked' },
  'full-mask': {
    severity: 'warning',
    what: 'masks that mark nearly all of the picture: inverted, or with a background that is not 0',
  },
  'large-mask': { severity: 'warning', what: 'masks of more than half of the picture' },
  'mask-orientation': {
    severity: 'warning',
    what: 'masks that fit a picture which EXIF turns both as it is stored and as it is shown',
  },
  'lossy-mask': {
    severity: 'warning',
    what: 'masks in JPEG (also within TIFF), HEIC, AVIF, lossy WebP or lossy JPEG 2000: cut at half of their highest value, so their edges are not exact',
  },
  'turned-mask': {
    severity: 'warning',
    what: 'masks that tifffile wrote of a boolean array: true is anomalous, though their tag says the opposite',
  },
  'mask-on-normal': {
    severity: 'warning',
    what: 'normal pictures whose mask marks something (it is not used)',
  },
  'left-out': { severity: 'warning', what: 'files that are not used' },
  'paper-counts': { severity: 'warning', what: "other counts than the paper's" },
  reading: { severity: 'warning', what: 'noticed while reading' },
} as const satisfies Record<string, FindingKind>;

export type FindingName = keyof typeof findingTable;

export interface Finding {
  kind: FindingName;
  severity: Severity;
  /** files concerned, below the root where they are in it */
  paths: string[];
  className?: string;
  /** what exactly, where the heading and the path do not say it */
  detail?: string;
  /** what to do about it: a command where there is one */
  mend?: string;
}

export function finding(
  kind: FindingName,
  paths: string[],
  more: Partial<Pick<Finding, 'className' | 'detail'>> = {},
): Finding {
  return { kind, severity: findingTable[kind].severity, paths, ...more };
}
