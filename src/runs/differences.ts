/** What two settings or fingerprints do not have in common. */
import { isDeepStrictEqual } from 'node:util';

/** One line for each thing that is not as it was: "training.learningRate is 0.002, was 0.001". */
export function differences(now: unknown, before: unknown, name = ''): string[] {
  if (isDeepStrictEqual(now, before)) return [];
  if (isObject(now) && isObject(before)) {
    const keys = [...new Set([...Object.keys(now), ...Object.keys(before)])].sort();
    return keys.flatMap((key) => differences(now[key], before[key], name ? `${name}.${key}` : key));
  }
  return [`${name} is ${shown(now)}, was ${shown(before)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{32,64}$/.test(value)) return value.slice(0, 12);
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
