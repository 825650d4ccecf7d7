/** The one libtorch this engine is compiled against and loads; its C++ interface is not stable across versions. */
export const libtorchVersion = '2.11.0';

/** 'cpu' needs libtorch_cpu and libc10; 'cuda' also libtorch_cuda and libc10_cuda. */
export type LibtorchVariant = 'cpu' | 'cuda';

/** '2.11.0+cu130' and '2.11.0' are the same version: what follows '+' names how it was packaged. */
export function publicVersion(version: string): string {
  return version.trim().split('+', 1)[0] ?? '';
}
