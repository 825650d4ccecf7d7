// One row of install-roots.mjs: its system from layers, in namespaces of its own, so that nothing of it stays mounted.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './layers.mjs';

const script = `
mount -t overlay overlay -o "lowerdir=$LAYERS,upperdir=$ROW/upper,workdir=$ROW/work" "$ROW/root"
cd "$ROW/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs tmp
chmod 1777 tmp
mount --bind "$NODE" usr/local/bin/node
bind() { mkdir -p ".$2" && mount --bind "$1" ".$2" && mount -o remount,ro,bind ".$2"; }
mkdir -p cache ".$PROJECT" home/user srv root
chmod 1777 cache
mkdir -p ccache && mount --bind "$CCACHE" ccache && chmod -R a+rwX ccache
[ -z "$NETWORK" ] || for file in /etc/resolv.conf /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e "$file" ] || cp "$file" ".$file"
done
case "$LIBTORCH_AS" in
  cache) bind "$LIBTORCH" "/cache/$(basename "$LIBTORCH")" ;;
  named) bind "$LIBTORCH" /opt/libtorch ;;
  python) python=$(ls usr/bin | grep -x 'python3\\.[0-9]*')
    for part in torch nvidia; do bind "$LIBTORCH/$part" "/usr/local/lib/$python/dist-packages/$part"; done ;;
  wrong) mkdir -p opt/libtorch/lib; : > opt/libtorch/lib/libtorch_cpu.so; echo 2.10.0+cpu > opt/libtorch/build-version ;;
  wrong-python) python=$(ls usr/bin | grep -x 'python3\\.[0-9]*'); torch="usr/local/lib/$python/dist-packages/torch"
    mkdir -p "$torch/lib"; : > "$torch/lib/libtorch_cpu.so"; : > "$torch/__init__.py"
    echo "__version__ = '2.10.0+cpu'" > "$torch/version.py" ;;
esac
echo '{"private":true}' > ".$PROJECT/package.json"
chown -R "$UIDS" home/user ".$PROJECT"
[ -z "$BEFORE" ] || chroot . /bin/sh -eu -c "$BEFORE"
[ "$FREEZE" != home ] || { mount --bind home/user home/user && mount -o remount,ro,bind home/user; }
within() { chroot --userspec="$UIDS" . /usr/bin/env -i $(cat "$ROW/environment" | tr '\\n' ' ') /bin/sh -c "cd '$PROJECT' && $1"; }
code=0; within "npm install /package/crane-native.tgz $FLAGS --no-audit --no-fund" > "$ROW/install.txt" 2>&1 || code=$?
echo "$code" > "$ROW/install.code"
[ "$FREEZE" != all ] || { mount --rbind . . && cd "$ROW/root" && mount -o remount,ro,bind .; }
# An install script that failed takes the package away with it: then what is used is what --ignore-scripts leaves.
[ "$code" = 0 ] || within "npm install /package/crane-native.tgz --ignore-scripts --no-audit --no-fund" > "$ROW/again.txt" 2>&1
[ -z "$USED_BY" ] || mount --bind "$USED_BY" usr/local/bin/node
code=0; within "$COMMAND" > "$ROW/use.txt" 2> "$ROW/use.err" || code=$?
echo "$code" > "$ROW/use.code"
`;

/**
 * @param row of rows.mjs, with one Node
 * @param at { layers, node, usedBy, libtorch, ccache, work, sample }
 * @returns exit codes and outputs of install and use
 */
export function tryRow(row, at) {
  const folder = mkdtempSync(join(at.work, 'row-'));
  for (const name of ['upper', 'work', 'root']) mkdirSync(join(folder, name), { recursive: true });
  const uids = row.user ? '1000:1000' : '0:0';
  const home = row.user ? '/home/user' : '/root';
  const project = row.project ?? `${home}/project`;
  const environment = {
    ...{
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: home,
      LC_ALL: 'C.UTF-8',
      npm_config_cache: '/npm-cache',
    },
    ...{ npm_config_update_notifier: 'false', npm_config_offline: 'true' },
    ...{
      CCACHE_DIR: '/ccache',
      CCACHE_BASEDIR: '/',
      CCACHE_NOHASHDIR: '1',
      CCACHE_UMASK: '000',
      CMAKE_BUILD_PARALLEL_LEVEL: '2',
    },
    SAMPLE: 'node_modules/crane-native/models/crane-mini/samples/bsdata-pitting-p00.jpg',
    ...(row.libtorch === 'cache' ? { CRANE_CACHE: '/cache' } : {}),
    ...(row.libtorch === 'named' ? { CRANE_LIBTORCH: '/opt/libtorch/torch' } : {}),
    ...(row.libtorch === 'wrong' ? { CRANE_LIBTORCH: '/opt/libtorch' } : {}),
    ...(row.network ? indexSettings() : {}),
    ...row.env,
  };
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  writeFileSync(join(folder, 'environment'), `${words.join('\n')}\n`);
  const namespaces = ['--mount', '--propagation', 'private', ...(row.network ? [] : ['--net'])];
  const { status, stdout, stderr } = run('unshare', [...namespaces, 'sh', '-eu', '-c', script], {
    env: {
      ...{
        PATH: process.env.PATH,
        ROW: folder,
        LAYERS: at.layers.join(':'),
        NODE: at.node,
        USED_BY: at.usedBy ?? '',
        CCACHE: at.ccache,
      },
      ...{ LIBTORCH: at.libtorch, LIBTORCH_AS: row.libtorch ?? 'none', NETWORK: row.network ? '1' : '' },
      ...{ PROJECT: project, UIDS: uids, FREEZE: row.freeze ?? '', BEFORE: row.before ?? '' },
      ...{ FLAGS: row.flags ?? '', COMMAND: row.command },
    },
  });
  const read = (name) => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return '';
    }
  };
  const answer = {
    ...{ install: Number.parseInt(read('install.code'), 10), use: Number.parseInt(read('use.code'), 10) },
    ...{ installed: read('install.txt'), stdout: read('use.txt'), stderr: read('use.err') },
    /** where the surroundings themselves failed */
    broken: status === 0 ? '' : `${stdout}${stderr}${read('again.txt')}`,
  };
  rmSync(folder, { recursive: true, force: true });
  return answer;
}

/** Where the row that uses the network finds libtorch: what this machine's pip is told, else Python's own index. */
function indexSettings() {
  const names = ['PIP_INDEX_URL', 'PIP_CERT', 'PIP_DEFAULT_TIMEOUT'];
  const told = names.filter((name) => process.env[name]).map((name) => [name, process.env[name]]);
  const authorities = { NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt' };
  return { PIP_INDEX_URL: 'https://pypi.org/simple', ...authorities, ...Object.fromEntries(told) };
}
