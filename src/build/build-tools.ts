/** The tools a source build needs; each one missing is named by itself, with the command that installs it. */
import { createRequire } from 'node:module';
import { CraneError } from '../errors.js';
import { notInstalled } from '../files/optional-packages.js';
import { rebuildCommand } from '../files/package-root.js';
import { compareVersions } from '../libtorch/elf.js';
import { runProgram } from '../libtorch/run-program.js';

export interface BuildTools {
  cmake: string;
  cmakeVersion: string;
  /** undefined on Windows, where CMake looks for Visual Studio itself */
  compiler: string | undefined;
  compilerVersion: string | undefined;
  generator: 'Ninja' | 'Unix Makefiles' | undefined;
}

const oldestCmake = '3.22';
const oldestGcc = '11';
const oldestClang = '14';

/** What compiling takes from npm; the engine's own package does not bring it. */
const buildPackages = ['cmake-js', 'node-addon-api', 'node-api-headers'];

/** @throws CraneError E_DEPENDENCY */
export function checkBuildPackages(
  resolve: (id: string) => string = createRequire(import.meta.url).resolve,
): void {
  const missing = buildPackages.filter((name) => {
    try {
      resolve(`${name}/package.json`);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length > 0) throw notInstalled('building the native engine', missing);
}

/** Throws E_BUILD_TOOLS that lists everything missing at once. */
export async function findBuildTools(env: NodeJS.ProcessEnv = process.env): Promise<BuildTools> {
  const missing: string[] = [];
  const cmakeVersion = await findCmake(env, missing);
  const onWindows = process.platform === 'win32';
  const compiler = onWindows ? undefined : await findCompiler(env, missing);
  const generator = onWindows ? undefined : await findGenerator(env, missing);
  if (missing.length > 0 || cmakeVersion === undefined)
    throw new CraneError(
      'E_BUILD_TOOLS',
      `building the native engine needs:\n${missing.map((m) => `  ${m}`).join('\n')}`,
      {
        hint: `install what is named above, then: ${rebuildCommand()}`,
      },
    );
  return {
    cmake: 'cmake',
    cmakeVersion,
    compiler: compiler?.program,
    compilerVersion: compiler?.version,
    generator,
  };
}

async function findCmake(env: NodeJS.ProcessEnv, missing: string[]): Promise<string | undefined> {
  const answer = await runProgram('cmake', ['--version'], { env });
  const version = /cmake version (\d+\.\d+(?:\.\d+)?)/.exec(answer.stdout)?.[1];
  const needed = `cmake ${oldestCmake} or newer`;
  if (answer.status !== 0 || !version)
    missing.push(`${needed}: ${answer.problem || 'no version printed'} (${howToInstall('cmake')})`);
  else if (compareVersions(version, oldestCmake) < 0)
    missing.push(`${needed}: this is ${version} (${howToInstall('cmake')})`);
  return version;
}

interface Compiler {
  program: string;
  version: string;
}

/** CXX decides when it is set; else what CMake itself would try, in its order. */
async function findCompiler(env: NodeJS.ProcessEnv, missing: string[]): Promise<Compiler | undefined> {
  const problems: string[] = [];
  for (const program of env['CXX'] ? [env['CXX']] : ['c++', 'g++', 'clang++']) {
    const [command, ...args] = program.split(/\s+/);
    const answer = await runProgram(command!, [...args, '--version'], { env });
    if (answer.status !== 0) {
      problems.push(answer.problem);
      continue;
    }
    const isClang = /clang/i.test(answer.stdout);
    const version = (isClang ? /version (\d+(?:\.\d+)*)/ : /\) (\d+(?:\.\d+)*)/).exec(answer.stdout)?.[1];
    // Apple numbers its clang by Xcode's version: 14 there has the C++20 that is used here as well
    const oldest = isClang ? oldestClang : oldestGcc;
    if (version && compareVersions(version, oldest) >= 0)
      return { program, version: `${isClang ? 'clang' : 'gcc'} ${version}` };
    problems.push(`${program} is ${isClang ? 'clang' : 'gcc'} ${version ?? 'of unknown version'}`);
  }
  missing.push(
    `a C++20 compiler (g++ ${oldestGcc} or clang++ ${oldestClang} or newer): ${problems.join(', ')} (${howToInstall('g++')})`,
  );
  return undefined;
}

async function findGenerator(env: NodeJS.ProcessEnv, missing: string[]): Promise<BuildTools['generator']> {
  if ((await runProgram('ninja', ['--version'], { env })).status === 0) return 'Ninja';
  if ((await runProgram('make', ['--version'], { env })).status === 0) return 'Unix Makefiles';
  missing.push(`ninja or make: neither is installed (${howToInstall('ninja')})`);
  return undefined;
}

const packages = {
  cmake: { apt: 'cmake', dnf: 'cmake', apk: 'cmake', brew: 'cmake', win: 'cmake.org' },
  'g++': { apt: 'g++', dnf: 'gcc-c++', apk: 'g++', brew: 'llvm', win: 'Visual Studio Build Tools' },
  ninja: {
    apt: 'ninja-build',
    dnf: 'ninja-build',
    apk: 'samurai',
    brew: 'ninja',
    win: 'Visual Studio Build Tools',
  },
};

function howToInstall(tool: keyof typeof packages): string {
  const names = packages[tool];
  if (process.platform === 'darwin')
    return tool === 'g++' ? 'xcode-select --install' : `brew install ${names.brew}`;
  if (process.platform === 'win32') return `install ${names.win}`;
  return `apt install ${names.apt}, dnf install ${names.dnf} or apk add ${names.apk}`;
}
