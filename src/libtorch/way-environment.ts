/** Way 1: the folder named by CRANE_LIBTORCH, else by LIBTORCH. */
import type { Attempt } from './attempt.js';
import { judgeRoot, type Wanted } from './root.js';
import { libtorchVersion } from './version.js';

/**
 * CRANE_LIBTORCH speaks to this engine alone, so a wrong folder there ends the search; LIBTORCH may be set for
 * other programs, so a wrong one is only reported.
 */
export function fromEnvironment(wanted: Wanted, env: NodeJS.ProcessEnv = process.env): Attempt {
  const name = env['CRANE_LIBTORCH'] ? 'CRANE_LIBTORCH' : 'LIBTORCH';
  const folder = env[name];
  if (!folder) {
    return {
      missed: {
        way: 'environment',
        cause: 'CRANE_LIBTORCH is not set',
        repair: `export CRANE_LIBTORCH=<folder of libtorch ${libtorchVersion} with lib/ and include/>`,
      },
    };
  }
  const judgement = judgeRoot(folder, wanted);
  if (judgement.fits) return { found: { ...judgement.root, way: 'environment', through: name } };
  const otherVersion = judgement.kind === 'version';
  return {
    missed: {
      way: 'environment',
      cause: `${name}: ${judgement.reason}`,
      repair: `point ${name} at a libtorch ${libtorchVersion}, or unset it to have one found: unset ${name}`,
      otherVersion,
      ...(name === 'CRANE_LIBTORCH'
        ? { final: otherVersion ? ('E_LIBTORCH_VERSION' as const) : ('E_LIBTORCH_NOT_FOUND' as const) }
        : {}),
    },
  };
}
