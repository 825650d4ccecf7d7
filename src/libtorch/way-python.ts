/** Way 3: a torch of the right version installed for Python. Its package is located, never imported. */
import type { Attempt } from './attempt.js';
import { pythonCandidates } from './python.js';
import { judgeRoot, type Wanted } from './root.js';
import { runProgram } from './run-program.js';
import { libtorchVersion } from './version.js';

/** find_spec only looks the package up, so this takes no longer than Python's start. */
const locateTorch = [
  'import importlib.util',
  'spec = importlib.util.find_spec("torch")',
  'print("\\n".join(spec.submodule_search_locations or []) if spec else "")',
].join('\n');

export async function fromPython(wanted: Wanted, env: NodeJS.ProcessEnv = process.env): Promise<Attempt> {
  if (wanted.knownRoot) {
    const judgement = judgeRoot(wanted.knownRoot, wanted);
    if (judgement.fits)
      return { found: { ...judgement.root, way: 'python', through: 'where the build found it' } };
  }
  const causes: string[] = [];
  let otherVersion = false;
  for (const interpreter of pythonCandidates(env)) {
    const answer = await runProgram(interpreter, ['-c', locateTorch], { env, timeoutMs: 20_000 });
    if (answer.status !== 0) {
      causes.push(answer.problem);
      continue;
    }
    const folder = answer.stdout.trim().split('\n')[0]?.trim();
    if (!folder) {
      causes.push(`${interpreter} has no torch`);
      continue;
    }
    const judgement = judgeRoot(folder, wanted);
    if (judgement.fits) return { found: { ...judgement.root, way: 'python', through: interpreter } };
    otherVersion ||= judgement.kind === 'version';
    causes.push(`${interpreter}: ${judgement.reason}`);
  }
  return {
    missed: {
      way: 'python',
      cause: [...new Set(causes)].join('; '),
      repair: `python3 -m pip install torch==${libtorchVersion}`,
      otherVersion,
    },
  };
}
