/** Requires-Dist lines of a wheel's METADATA, as far as libtorch's own dependencies need them (PEP 508). */
import { normalizedName } from '../net/simple-index.js';

export interface Requirement {
  project: string;
  extras: string[];
  /** of '==': '13.0.2' or '13.0.96.*'; undefined for looser demands */
  version: string | undefined;
  /** the extra that asks for it; undefined: always */
  extra: string | undefined;
}

export function requirements(metadata: string): Requirement[] {
  // the headers end at the first empty line; the description that follows is free text
  const headers = metadata.split(/\r?\n\r?\n/, 1)[0] ?? '';
  return headers.split(/\r?\n/).flatMap((line) => {
    const match = /^Requires-Dist:\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?\s*([^;]*)(?:;(.*))?$/.exec(line);
    if (!match) return [];
    const [, project = '', extras = '', demand = '', marker = ''] = match;
    return [
      {
        project: normalizedName(project),
        extras: extras
          .split(',')
          .map((e) => e.trim())
          .filter(Boolean),
        version: /==\s*([\w.*+!]+)/.exec(demand)?.[1],
        extra: /extra\s*==\s*['"]([^'"]+)['"]/.exec(marker)?.[1],
      },
    ];
  });
}
