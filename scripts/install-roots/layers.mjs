// Makes what the rows of install-roots.mjs stand on: systems by debootstrap, and what is laid over them. Kept in `work` for the next time.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const archives = {
  debian: 'http://deb.debian.org/debian',
  ubuntu: 'http://archive.ubuntu.com/ubuntu',
};
/** debootstrap names a script for each release it knows; `like` is that of a release of the same kind. */
const systems = {
  bookworm: { archive: archives.debian, title: 'Debian 12' },
  trixie: { archive: archives.debian, title: 'Debian 13' },
  jammy: { archive: archives.ubuntu, title: 'Ubuntu 22.04', components: 'main,universe', like: 'gutsy' },
  noble: { archive: archives.ubuntu, title: 'Ubuntu 24.04', components: 'main,universe', like: 'gutsy' },
};
const packages = {
  tools: ['g++', 'cmake', 'ninja-build', 'ccache'],
  python: ['python3', 'python3-pip'],
};

export const titleOf = (system) => systems[system].title;

export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28, ...options });
  if (result.error) throw result.error;
  return result;
}

function must(what, command, args, options) {
  const { status, stdout, stderr } = run(command, args, options);
  if (status !== 0) throw new Error(`${what}: ${command} ended with ${status}\n${stdout}${stderr}`);
}

/** Made once; a half-made one has no mark and is made again. */
function kept(folder, make) {
  const mark = `${folder}.made`;
  if (existsSync(mark)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  make(folder);
  writeFileSync(mark, '');
  return folder;
}

export function baseOf(work, system) {
  const { archive, components = 'main', like } = systems[system];
  return kept(join(work, `${system}.base`), (folder) => {
    console.error(`making ${titleOf(system)}`);
    const options = ['--variant=minbase', '--include=ca-certificates', `--components=${components}`];
    must(titleOf(system), 'debootstrap', [...options, system, folder, archive, ...(like ? [like] : [])]);
  });
}

/** What apt adds to a system, as a layer over it. */
export function layerOf(work, system, name) {
  const base = baseOf(work, system);
  return kept(join(work, `${system}.${name}`), (folder) => {
    console.error(`installing ${packages[name].join(', ')} in ${titleOf(system)}`);
    const script = `
      mkdir -p "$SCRATCH/work" "$SCRATCH/root"
      mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$FOLDER,workdir=$SCRATCH/work" "$SCRATCH/root"
      mount -t proc proc "$SCRATCH/root/proc"
      mount --rbind /dev "$SCRATCH/root/dev"
      cp /etc/resolv.conf "$SCRATCH/root/etc/resolv.conf"
      chroot "$SCRATCH/root" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -eu -c '
        apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" && apt-get clean' apt ${packages[name].join(' ')}`;
    const scratch = join(work, 'making');
    rmSync(scratch, { recursive: true, force: true });
    const env = { ...process.env, BASE: base, FOLDER: folder, SCRATCH: scratch };
    must(name, 'unshare', ['--mount', '--propagation', 'private', 'sh', '-eu', '-c', script], { env });
    rmSync(scratch, { recursive: true, force: true });
  });
}

/** Node of a major version, from npm's packages of its binaries. */
export function nodeOf(work, major) {
  const folder = kept(join(work, `node-${major}`), (made) => {
    writeFileSync(join(made, 'package.json'), '{"private":true}');
    const wanted = `node-linux-${process.arch}@${major}`;
    must(wanted, 'npm', ['install', wanted, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: made });
  });
  return join(folder, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
}

/** npm, its cache with everything that the package names, and the package as `/package/crane-native.tgz`: for one run, who removes it. */
export function packageLayer(work, tarball, from, damage) {
  const folder = mkdtempSync(join(work, `package-${from}-`));
  const at = (...parts) => join(folder, ...parts);
  mkdirSync(at('package'), { recursive: true });
  mkdirSync(at('usr/local/bin'), { recursive: true });
  const modules = run('npm', ['root', '--global']).stdout.trim();
  cpSync(join(modules, 'npm'), at('usr/local/lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, at('usr/local/bin', name));
  writeFileSync(at('usr/local/bin/node'), '');
  // It is the root of the systems, and users without rights pass through it.
  chmodSync(folder, 0o755);
  changedPackage(tarball, at('package/crane-native.tgz'), at('unpacked'), from, damage);
  const project = at('filling');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"private":true}');
  const args = ['install', at('package/crane-native.tgz'), '--ignore-scripts', '--no-audit', '--no-fund'];
  must('filling the cache of npm', 'npm', [...args, '--cache', at('npm-cache')], { cwd: project });
  rmSync(project, { recursive: true });
  must('rights of the cache', 'chmod', ['-R', 'a+rwX', at('npm-cache')]);
  return folder;
}

function changedPackage(tarball, to, scratch, from, damage) {
  if (from === 'prebuilt' && !damage) return cpSync(tarball, to);
  mkdirSync(scratch);
  must('unpacking', 'tar', ['xzf', tarball, '-C', scratch]);
  const prebuilds = join(scratch, 'package', 'prebuilds');
  if (from === 'source') rmSync(prebuilds, { recursive: true, force: true });
  else writeFileSync(join(prebuilds, `${process.platform}-${process.arch}`, 'crane_engine.node'), 'damaged');
  must('packing', 'tar', ['czf', to, '-C', scratch, 'package']);
  rmSync(scratch, { recursive: true });
}

/** The score of the sample that the model itself says, and how near to it a score must be. */
export function golden(root) {
  const { golden } = JSON.parse(readFileSync(join(root, 'models', 'crane-mini', 'model.json'), 'utf8'));
  return golden;
}
