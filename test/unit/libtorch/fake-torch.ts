/** Removed when the test process ends. */
const made: string[] = [];
process.once('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Small stand-ins for libtorch: folders as the ways find them, and wheels as an index serves them. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { libtorchPlatform } from '../../../src/libtorch/platform.js';
import { libtorchVersion } from '../../../src/libtorch/version.js';
import { fakeZip } from '../net/fake-zip.js';
import { fakeElf } from './fake-elf.js';

export const cpuLibrary = libtorchPlatform()!.cpuLibrary;

export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crane libtorch ä-'));
  made.push(folder);
  return folder;
}

export function writeTree(root: string, files: Record<string, string | Buffer>): string {
  for (const [name, data] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, data);
  }
  return root;
}

/** A folder that passes for libtorch of that version, headers and all. */
export function fakeRoot(root: string, version: string = libtorchVersion, buildId = 'abcdef0123'): string {
  return writeTree(root, {
    [`lib/${cpuLibrary}`]: fakeElf({ buildId }),
    'include/ATen/ATen.h': '// ATen',
    'version.py': `__version__ = '${version}'\n`,
  });
}

/** An environment in which no way finds anything: programs, home and settings are those given only. */
export function bareEnv(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const empty = freshFolder();
  return {
    PATH: empty,
    HOME: empty,
    CRANE_CACHE: join(empty, 'cache'),
    PIP_CONFIG_FILE: '/dev/null',
    CRANE_LIBTORCH_URL: join(empty, 'no archive.zip'),
    ...more,
  };
}

export interface FakeWheel {
  filename: string;
  bytes: Buffer;
}

const platformTag: Record<string, string> = {
  'linux-x64': 'manylinux_2_28_x86_64',
  'linux-arm64': 'manylinux_2_28_aarch64',
  'darwin-arm64': 'macosx_11_0_arm64',
  'win32-x64': 'win_amd64',
};

export function fakeWheel(
  project: string,
  version: string,
  files: Record<string, string | Buffer>,
  options: {
    requires?: string[];
    tag?: string;
    recordFor?: (path: string, data: Buffer) => string | undefined;
  } = {},
): FakeWheel {
  const info = `${project}-${version}.dist-info`;
  const requires = (options.requires ?? []).map((r) => `Requires-Dist: ${r}\n`).join('');
  const all: Record<string, string | Buffer> = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.4\nName: ${project}\nVersion: ${version}\n${requires}\nText\n`,
    [`${info}/licenses/LICENSE`]: `licence of ${project}`,
  };
  const record = Object.entries(all).map(([path, data]) => {
    const sum =
      options.recordFor?.(path, Buffer.from(data as string)) ?? base64url(Buffer.from(data as string));
    return `${path},sha256=${sum},${Buffer.from(data as string).length}`;
  });
  const tag = options.tag ?? `cp312-cp312-${platformTag[libtorchPlatform()!.key]}`;
  return {
    filename: `${project}-${version}-${tag}.whl`,
    bytes: fakeZip([
      ...Object.entries(all).map(([name, data]) => ({ name, data })),
      { name: `${info}/RECORD`, data: `${record.join('\n')}\n${info}/RECORD,,\n` },
    ]),
  };
}

export function base64url(data: Buffer): string {
  return createHash('sha256').update(data).digest('base64url');
}

/** Deterministic bytes that deflate cannot shrink, so that a download has some length. */
export function noise(size: number, seed = 1): Buffer {
  const data = Buffer.alloc(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state >>> 24;
  }
  return data;
}

/** torch, the toolkit package that names NVIDIA's, and those two: what an index holds for Linux. */
export function torchWheels(version: string = libtorchVersion, library?: Buffer): FakeWheel[] {
  const onLinux = process.platform === 'linux';
  return [
    fakeWheel(
      'torch',
      version,
      {
        [`torch/lib/${cpuLibrary}`]:
          library ?? Buffer.concat([fakeElf({ buildId: 'abcdef0123' }), noise(400_000)]),
        'torch/lib/libtorch_cuda.so': noise(600_000, 7),
        'torch/lib/libc10.so': noise(5_000, 2),
        'torch/lib/libgomp.so.1': noise(4_000, 3),
        'torch/lib/libtorch.so': 'must stay behind',
        'torch/include/ATen/ATen.h': '// ATen',
        'torch/include/torch/headeronly/version.h': `#define TORCH_VERSION \\\n  "${version}"\n`,
        'torch/version.py': `__version__ = '${version}+cu130'\n`,
        'torch/nn/functional.py': 'must stay behind',
      },
      {
        requires: onLinux
          ? ['filelock', 'cuda-toolkit[cublas,cudart,cupti]==13.0.2; platform_system == "Linux"']
          : [],
      },
    ),
    fakeWheel(
      'cuda_toolkit',
      '13.0.2',
      {},
      {
        tag: 'py2.py3-none-any',
        requires: [
          'nvidia-cuda-runtime==13.0.96.*; extra == "cudart"',
          'nvidia-cuda-cupti==13.0.85.*; extra == "cupti"',
          'nvidia-cublas==13.1.0; extra == "cublas"',
        ],
      },
    ),
    fakeWheel('nvidia_cuda_runtime', '13.0.96', {
      'nvidia/cu13/lib/libcudart.so.13': noise(3_000, 4),
      'nvidia/cu13/include/cuda.h': 'must stay behind',
    }),
    fakeWheel('nvidia_cuda_cupti', '13.0.85', {
      'nvidia/cu13/lib/libcupti.so.13': noise(3_000, 5),
      'nvidia/cu13/lib/libnvperf_host.so': 'must stay behind',
    }),
  ];
}
