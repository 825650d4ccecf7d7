// Fails when a file uses a room that is not below its own: node scripts/check-walls.mjs [folder of the repository]
// The rooms and their order are the tables of docs/architecture.md. Circles of TypeScript files are Biome's to find.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
const page = 'docs/architecture.md';

/** What an import or include names, where it is a file of ours. Imports are as Biome formats them, each on its line. */
const trees = {
  src: {
    files: /\.ts$/,
    named: [/\bfrom '(\.[^']+)'/g, /^import '(\.[^']+)'/gm, /\bimport\('(\.[^']+)'\)/g],
    find: (file, name) => posix.join(posix.dirname(file), name).replace(/\.js$/, '.ts'),
  },
  native: {
    files: /\.(h|cpp|cu|cuh)$/,
    named: [/^\s*#\s*include\s*["<]([^">]+)[">]/gm],
    // Beside the file, else below native/, as the compiler looks; the rest are system headers.
    find: (file, name) =>
      [posix.join(posix.dirname(file), name), `native/${name}`].find((path) => existsSync(join(root, path))),
  },
};

/** Floors of a tree, lowest first, each with the rooms that its row names. */
function floorsOf(tree) {
  const text = readFileSync(join(root, page), 'utf8');
  const start = text.indexOf(`\n## Rooms of \`${tree}/\`\n`);
  if (start < 0) throw new Error(`${page}: no section "Rooms of \`${tree}/\`"`);
  const section = text.slice(start + 1).split('\n## ')[0];
  const rows = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell]) => cell);
  const floors = rows.map((cell) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name.replace(/\/$/, '')),
  );
  if (floors.length === 0) throw new Error(`${page}: "Rooms of \`${tree}/\`" has no table`);
  return floors;
}

function faultsOf(tree) {
  const { files, named, find } = trees[tree];
  const floors = floorsOf(tree);
  const floorOf = (room) => floors.findIndex((rooms) => rooms.includes(room));
  const roomOf = (path) => path.split('/')[1];
  const faults = [];
  const found = new Set();
  const includes = new Map();
  const paths = readdirSync(join(root, tree), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && files.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
  for (const path of paths) {
    const room = roomOf(path);
    found.add(room);
    if (floorOf(room) < 0) {
      faults.push(`${path}: "${room}" is no room of ${page}`);
      continue;
    }
    const text = readFileSync(join(root, path), 'utf8');
    const used = named.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name]) => find(path, name)));
    includes.set(path, used);
    for (const other of new Set(used)) {
      if (other === undefined) continue;
      if (!other.startsWith(`${tree}/`)) faults.push(`${path}: uses ${other}, outside ${tree}/`);
      else if (roomOf(other) !== room && floorOf(roomOf(other)) >= floorOf(room))
        faults.push(`${path}: uses ${other}, but ${roomOf(other)} is not below ${room}`);
    }
  }
  for (const room of floors.flat())
    if (!found.has(room)) faults.push(`${page}: ${tree}/ has no room "${room}"`);
  if (tree === 'native') faults.push(...circlesOf(includes));
  return faults;
}

function circlesOf(uses) {
  const faults = [];
  const done = new Set();
  const visit = (path, way) => {
    const at = way.indexOf(path);
    if (at >= 0) faults.push(`${[...way.slice(at), path].join(' -> ')}: a circle`);
    if (at >= 0 || done.has(path)) return;
    for (const other of uses.get(path) ?? []) visit(other, [...way, path]);
    done.add(path);
  };
  for (const path of uses.keys()) visit(path, []);
  return faults;
}

const faults = Object.keys(trees).flatMap(faultsOf);
for (const fault of faults) console.error(fault);
if (faults.length > 0)
  console.error(
    `a room uses only rooms of the rows above its own in ${page}: move what both need below them`,
  );
else console.log('the walls stand');
process.exit(faults.length > 0 ? 1 : 0);
