/**
 * What differs between platforms: names of the shared libraries, how a wheel for the platform is tagged and
 * which of its members are needed. Linux x64 is the tested one.
 */
import type { LibtorchVariant } from './version.js';

export interface LibtorchPlatform {
  /** as in prebuilds/<key>/ */
  key: string;
  /** file that proves a libtorch is there, inside lib/ */
  cpuLibrary: string;
  cudaLibrary: string;
  /** platform part of a wheel's file name */
  wheelTag: RegExp;
  /** libraries of the wheel that the engine loads, inside torch/lib/ */
  wheelLibraries: Record<LibtorchVariant, RegExp>;
  /** import libraries and the like, needed for compiling only */
  wheelLinkFiles: RegExp;
  /** libtorch_cpu itself needs cudart and cupti (the index carries CUDA builds only) */
  needsCudaRuntime: boolean;
}

const nothing = /(?!)/;

const linux: Omit<LibtorchPlatform, 'key' | 'wheelTag'> = {
  cpuLibrary: 'libtorch_cpu.so',
  cudaLibrary: 'libtorch_cuda.so',
  // libtorch.so is left out: it is an empty library that needs libtorch_cuda
  wheelLibraries: {
    cpu: /^(libtorch_cpu|libc10|libgomp[^/]*|libarm_compute[^/]*|libopenblas[^/]*|libgfortran[^/]*)\.so[.\d]*$/,
    cuda: /^(libtorch_cpu|libc10|libgomp[^/]*|libarm_compute[^/]*|libopenblas[^/]*|libgfortran[^/]*|libc10_cuda|libtorch_cuda|libtorch_cuda_linalg|libtorch_nvshmem|libcaffe2_nvrtc)\.so[.\d]*$/,
  },
  wheelLinkFiles: nothing,
  needsCudaRuntime: true,
};

const platforms: LibtorchPlatform[] = [
  { ...linux, key: 'linux-x64', wheelTag: /manylinux[^.]*_x86_64$/ },
  { ...linux, key: 'linux-arm64', wheelTag: /manylinux[^.]*_aarch64$/ },
  {
    key: 'darwin-arm64',
    cpuLibrary: 'libtorch_cpu.dylib',
    cudaLibrary: 'libtorch_cuda.dylib',
    wheelTag: /macosx_[\d_]+_arm64$/,
    wheelLibraries: { cpu: /^(libtorch_cpu|libc10|libomp)\.dylib$/, cuda: nothing },
    wheelLinkFiles: nothing,
    needsCudaRuntime: false,
  },
  {
    key: 'win32-x64',
    cpuLibrary: 'torch_cpu.dll',
    cudaLibrary: 'torch_cuda.dll',
    wheelTag: /win_amd64$/,
    wheelLibraries: {
      cpu: /^(torch_cpu|c10|libiomp5md|uv|fbgemm|asmjit|torch_global_deps)\.dll$/,
      cuda: nothing,
    },
    wheelLinkFiles: /^(torch_cpu|c10)\.lib$/,
    needsCudaRuntime: false,
  },
];

export function platformKey(platform: string = process.platform, arch: string = process.arch): string {
  return `${platform}-${arch}`;
}

/** undefined where nobody publishes libtorch wheels. */
export function libtorchPlatform(key: string = platformKey()): LibtorchPlatform | undefined {
  return platforms.find((p) => p.key === key);
}
