/** Whether the package is made for this version of Node: loaded before anything that an old one cannot even read. */

/**
 * @param version as process.versions.node has it
 * @param served engines.node of package.json: ^A.B.C and >=A.B.C, joined by ||
 * @returns what to tell, undefined where the version is served
 */
export function oldNode(version: string, served: string): string | undefined {
  const own = numbers(version);
  const isServed = served.split('||').some((part) => {
    const least = numbers(part);
    const isNewer = own.map((at, i) => at - least[i]!).find((difference) => difference !== 0) ?? 0;
    return isNewer >= 0 && (!part.trim().startsWith('^') || own[0] === least[0]);
  });
  if (isServed) return undefined;
  return `this is Node ${version}, and Node ${served.replace('||', 'or')} is needed`;
}

function numbers(text: string): [number, number, number] {
  const [, major, minor, patch] = /(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major), Number(minor), Number(patch)];
}
