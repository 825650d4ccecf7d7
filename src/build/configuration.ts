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
 * Whether what was compiled before may stay: with the tests nothing of the engine is compiled again. A compiler or generator cannot be
 * changed in a CMakeCache.txt, and another libtorch may lie in the place of the one before, with files that are older than ours.
 */
export function keepsCache(before: BuildConfiguration | undefined, now: BuildConfiguration): boolean {
  if (before === undefined) return false;
  const others = ({ definitions, ...tools }: BuildConfiguration) => ({
    ...tools,
    definitions: Object.entries(definitions)
      .filter(([name]) => name !== 'CRANE_TESTS')
      .sort(),
  });
  return JSON.stringify(others(before)) === JSON.stringify(others(now));
}
