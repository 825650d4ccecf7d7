/** How many compilers to run at once: the cores, unless memory allows fewer. */
import os from 'node:os';

/** A source that includes libtorch's headers takes up to this much while it is compiled. */
const bytesPerJob = 2 * 1024 ** 3;

/** CMAKE_BUILD_PARALLEL_LEVEL decides when it is set, as it does for CMake itself. */
export function compileJobs(
  env: NodeJS.ProcessEnv = process.env,
  machine: { cores: number; freeBytes: number } = thisMachine(),
): number {
  const chosen = Number(env['CMAKE_BUILD_PARALLEL_LEVEL']);
  if (Number.isInteger(chosen) && chosen > 0) return chosen;
  return Math.max(1, Math.min(machine.cores, Math.floor(machine.freeBytes / bytesPerJob)));
}

function thisMachine(): { cores: number; freeBytes: number } {
  // availableMemory (Node 20.13) knows the limits of containers; os.freemem does not
  const freeBytes = typeof process.availableMemory === 'function' ? process.availableMemory() : os.freemem();
  return { cores: os.availableParallelism(), freeBytes };
}
