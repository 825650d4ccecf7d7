import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { indexAddress } from '../../../src/libtorch/index-address.js';
import { requirements } from '../../../src/libtorch/requirements.js';
import { chooseWheel, parseWheelName } from '../../../src/libtorch/wheel-name.js';
import { parseRecord } from '../../../src/libtorch/wheel-record.js';
import { certificateFiles, configFiles, parseIni, pipSetting } from '../../../src/net/pip-config.js';
import type { IndexFile } from '../../../src/net/simple-index.js';
import { bareEnv, freshFolder, writeTree } from './fake-torch.js';

function withConfig(text: string): NodeJS.ProcessEnv {
  const path = join(freshFolder(), 'pip.conf');
  writeFileSync(path, text);
  return bareEnv({ PIP_CONFIG_FILE: path });
}

function program(folder: string, name: string, body: string): void {
  writeTree(folder, { [name]: `#!/bin/sh\n${body}\n` });
  chmodSync(join(folder, name), 0o755);
}

describe("pip's settings", () => {
  it('prefers the environment to every file', async () => {
    const env = {
      ...withConfig('[global]\nindex-url = http://file/simple\n'),
      PIP_INDEX_URL: 'http://env/simple',
    };
    expect(await indexAddress(env)).toEqual({ url: 'http://env/simple', from: 'PIP_INDEX_URL' });
  });

  it('tells of an address that is none without its password', async () => {
    for (const wrong of ['me:secret@host/simple', 'ftp://me:sec/ret@host/simple?secret'])
      expect(await indexAddress(bareEnv({ PIP_INDEX_URL: wrong }))).toEqual({
        problem: `the index of PIP_INDEX_URL is not an http address: ${wrong.startsWith('ftp') ? 'ftp://' : ''}host/simple`,
      });
  });

  it('prefers the section [install] to [global] and reads both spellings of a key', () => {
    const env = withConfig(
      '[global]\nindex_url: http://a/simple\n\n; note\n# note\n[install]\nindex-url=http://b/simple\n',
    );
    expect(pipSetting('index-url', env)).toMatchObject({ value: 'http://b/simple' });
    expect(pipSetting('index-url', withConfig('[global]\nindex_url: http://a/simple'))?.value).toBe(
      'http://a/simple',
    );
  });

  it('reads the files in the order of pip, the active environment late and PIP_CONFIG_FILE last', () => {
    const env = {
      HOME: '/h',
      VIRTUAL_ENV: '/venv',
      PIP_CONFIG_FILE: '/mine.conf',
      XDG_CONFIG_DIRS: '/x1:/x2',
    };
    expect(configFiles(env, 'linux')).toEqual([
      '/x1/pip/pip.conf',
      '/x2/pip/pip.conf',
      '/etc/pip.conf',
      '/h/.pip/pip.conf',
      '/h/.config/pip/pip.conf',
      '/venv/pip.conf',
      '/mine.conf',
    ]);
    expect(configFiles({ ...env, PIP_CONFIG_FILE: '/dev/null' }, 'linux')).toEqual([]);
    expect(configFiles({ HOME: '/Users/u' }, 'darwin')).toContain(
      '/Users/u/Library/Application Support/pip/pip.conf',
    );
    expect(configFiles({ APPDATA: 'A', HOME: 'H' }, 'win32').at(-1)).toMatch(/A.pip.pip\.ini/);
  });

  it('keeps values with = and : whole', () => {
    expect(
      parseIni('[global]\nindex-url = https://u:p=w@host:8443/simple/?a=b\n').get('global.index-url'),
    ).toBe('https://u:p=w@host:8443/simple/?a=b');
  });

  it('finds the certificates named for pip', () => {
    const file = join(freshFolder(), 'ca.pem');
    writeFileSync(file, '');
    expect(
      certificateFiles({ ...withConfig(`[global]\ncert = ${file}`), SSL_CERT_FILE: '/no such file' }),
    ).toMatchObject([{ value: file }]);
    expect(certificateFiles(bareEnv({ REQUESTS_CA_BUNDLE: file }))).toEqual([
      { value: file, from: 'REQUESTS_CA_BUNDLE' },
    ]);
  });

  it('asks pip when nothing is set, wherever its help breaks', async () => {
    const folder = freshFolder();
    const help =
      '  -i, --index-url <url>       Base URL of the index (default\n                    http://mirror.test/simple). This should';
    program(
      folder,
      'python3',
      `[ "$COLUMNS" -gt 200 ] && [ "$1 $2 $3" = "-m pip download" ] && cat <<'X'\n${help}\nX`,
    );
    expect(await indexAddress(bareEnv({ PATH: `${folder}:/bin:/usr/bin` }))).toEqual({
      url: 'http://mirror.test/simple',
      from: 'python3 -m pip',
    });
  });

  it('says that there is nobody to ask, and that a folder is no address', async () => {
    expect(await indexAddress(bareEnv())).toEqual({ problem: expect.stringMatching(/no pip to ask/) });
    expect(await indexAddress(bareEnv({ PIP_INDEX_URL: '/mnt/mirror' }))).toEqual({
      problem: expect.stringMatching(/not an http address: \/mnt\/mirror/),
    });
  });
});

describe('wheels', () => {
  const file = (filename: string, yanked = false): IndexFile => ({
    filename,
    url: `http://x/${filename}`,
    sha256: undefined,
    size: 1,
    yanked,
  });

  it('reads file names', () => {
    expect(parseWheelName('torch-2.11.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl')).toEqual({
      project: 'torch',
      version: '2.11.0+cpu',
      python: 'cp312',
      platforms: ['manylinux_2_28_x86_64'],
    });
    expect(
      parseWheelName('nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl'),
    ).toMatchObject({
      project: 'nvidia-cuda-runtime',
      platforms: ['manylinux2014_x86_64', 'manylinux_2_17_x86_64'],
    });
    expect(parseWheelName('torch-2.11.0.tar.gz')).toBeUndefined();
  });

  it('chooses by version and platform, never a yanked one', () => {
    const files = [
      file('torch-2.11.1-cp312-cp312-manylinux_2_28_x86_64.whl'),
      file('torch-2.11.0-cp312-cp312-manylinux_2_28_aarch64.whl'),
      file('torch-2.11.0-cp313-cp313-manylinux_2_28_x86_64.whl', true),
      file('torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl'),
      file('torch-2.11.0-cp312-cp312-win_amd64.whl'),
    ];
    expect(chooseWheel(files, 'torch', '2.11.0', /manylinux[^.]*_x86_64$/)?.filename).toBe(
      files[3]!.filename,
    );
    expect(chooseWheel(files, 'torch', '2.12.0', undefined)).toBeUndefined();
  });

  it('takes the newest that begins with a version ending in .*', () => {
    const files = ['13.0.96', '13.0.96.9', '13.0.96.10', '13.0.9'].map((v) =>
      file(`nvidia_cuda_runtime-${v}-py3-none-any.whl`),
    );
    expect(chooseWheel(files, 'nvidia-cuda-runtime', '13.0.96.*', undefined)?.filename).toContain(
      '13.0.96.10',
    );
  });

  it('reads requirements with extras and markers, and none from the description', () => {
    const metadata = [
      'Requires-Dist: filelock',
      'Requires-Dist: cuda-toolkit[cudart,cupti]==13.0.2; platform_system == "Linux"',
      "Requires-Dist: nvidia-cuda-runtime==13.0.96.*; (sys_platform == 'linux') and extra == 'cudart'",
      '',
      'Requires-Dist: not-this==1',
    ].join('\n');
    expect(requirements(metadata)).toEqual([
      { project: 'filelock', extras: [], version: undefined, extra: undefined },
      { project: 'cuda-toolkit', extras: ['cudart', 'cupti'], version: '13.0.2', extra: undefined },
      { project: 'nvidia-cuda-runtime', extras: [], version: '13.0.96.*', extra: 'cudart' },
    ]);
  });

  it('reads RECORD, quoted paths included', () => {
    const sum = 'vl4XzXdSpq8AOXhwY3k4TDEI9raJFrsZSeYQ9jl7tkA';
    const sums = parseRecord(
      `torch/lib/libc10.so,sha256=${sum},1498969\n"a,""b"".txt",sha256=${sum},1\r\nx/RECORD,,\n`,
    );
    expect(sums.get('torch/lib/libc10.so')).toBe(Buffer.from(sum, 'base64url').toString('hex'));
    expect([...sums.keys()]).toEqual(['torch/lib/libc10.so', 'a,"b".txt']);
  });
});
