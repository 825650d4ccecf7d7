/** What a build folder was configured with. */
import { z } from 'zod';

const schema = z.object({
  /** -D options */
  definitions: z.record(z.string(), z.string()),
  generator: z.string().optional(),
  compiler: z.string().optional(),
});

export type BuildConfiguration = z.infer<typeof schema>;

/** @returns undefined for a text that is none */
export function parseConfiguration(text: string): BuildConfiguration | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Whether what was compiled before may stay: a compiler or generator cannot be changed in a CMakeCache.txt. Of other definitions
 * CMake knows itself which files they concern: with the tests nothing of the engine is compiled again.
 */
export function keepsCache(before: BuildConfiguration | undefined, now: BuildConfiguration): boolean {
  if (before === undefined) return false;
  const tools = ({ definitions, generator, compiler }: BuildConfiguration) =>
    JSON.stringify([generator, compiler, definitions['CRANE_CUDA'], definitions['CMAKE_CUDA_COMPILER']]);
  return tools(before) === tools(now);
}
