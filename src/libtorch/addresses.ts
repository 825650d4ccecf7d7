/** Way 5's table: PyTorch's own CPU archives of the pinned version. The only addresses in this code. */
import { libtorchVersion } from './version.js';

const folder = 'https://download.pytorch.org/libtorch/cpu';

export const archiveAddresses: Record<string, string> = {
  'linux-x64': `${folder}/libtorch-shared-with-deps-${libtorchVersion}%2Bcpu.zip`,
  'darwin-arm64': `${folder}/libtorch-macos-arm64-${libtorchVersion}.zip`,
  'win32-x64': `${folder}/libtorch-win-shared-with-deps-${libtorchVersion}%2Bcpu.zip`,
};
