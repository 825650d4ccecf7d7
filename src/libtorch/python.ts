/** The Python interpreters that may know a torch or a pip: the active environment first, then the PATH. */
import { join } from 'node:path';

export function pythonCandidates(env: NodeJS.ProcessEnv = process.env): string[] {
  const inFolder = (folder: string, isConda: boolean) =>
    process.platform === 'win32'
      ? join(folder, ...(isConda ? [] : ['Scripts']), 'python.exe')
      : join(folder, 'bin', 'python3');
  const candidates = [
    ...(env['VIRTUAL_ENV'] ? [inFolder(env['VIRTUAL_ENV'], false)] : []),
    ...(env['CONDA_PREFIX'] ? [inFolder(env['CONDA_PREFIX'], true)] : []),
    'python3',
    'python',
  ];
  return [...new Set(candidates)];
}
