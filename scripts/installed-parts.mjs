// What npm installs with a package, by package-lock.json; imported by make-sbom.mjs, pack-engine.mjs and tests.
import { posix } from 'node:path';

/**
 * @param lock the parsed package-lock.json (version 2 or newer)
 * @param names the package's own dependencies
 * @returns each part once, sorted by id: { id: name@version, name, version, licence, paths, isForPlatform }. `paths` are
 *   its places in the lock; `isForPlatform`: only some platforms install it. Peers are parts unless they are optional.
 */
export function installedParts(lock, names) {
  const parts = new Map();
  const seen = new Set();
  const waiting = names.map((name) => ['', name, true]);
  while (waiting.length > 0) {
    const [from, name, isNeeded] = waiting.pop();
    const path = resolved(lock.packages, from, name);
    if (path === undefined && isNeeded)
      throw new Error(`${name}, asked for by "${from}", is not in package-lock.json`);
    if (path === undefined || seen.has(path)) continue;
    seen.add(path);
    const entry = lock.packages[path];
    const id = `${name}@${entry.version}`;
    const isForPlatform = Boolean(entry.os ?? entry.cpu ?? entry.libc);
    const known = parts.get(id) ?? {
      id,
      name,
      version: entry.version,
      licence: entry.license,
      paths: [],
      isForPlatform,
    };
    known.paths.push(path);
    parts.set(id, known);
    const isAsked = (peer) => entry.peerDependenciesMeta?.[peer]?.optional !== true;
    for (const next of Object.keys(entry.dependencies ?? {})) waiting.push([path, next, true]);
    for (const next of Object.keys(entry.optionalDependencies ?? {})) waiting.push([path, next, false]);
    for (const next of Object.keys(entry.peerDependencies ?? {}).filter(isAsked))
      waiting.push([path, next, false]);
  }
  for (const { paths } of parts.values()) paths.sort();
  return [...parts.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The nearest one upwards, as Node finds it. */
function resolved(packages, from, name) {
  for (let folder = from; ; folder = posix.dirname(folder)) {
    if (posix.basename(folder) === 'node_modules') continue;
    const path = posix.join(folder === '.' ? '' : folder, 'node_modules', name);
    if (packages[path]) return path;
    if (folder === '' || folder === '.') return undefined;
  }
}
