// clang-tidy over the native code with the checks of .clang-tidy (scripts/fire.mjs tidy [PATH...]).
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configureEngine } from './fire-engine.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'build', 'fire', 'tidy');

/** The compile commands of the addon as clang takes them: without what belongs to GCC, and with libtorch's headers by name. */
function writeCommands() {
  configureEngine(folder, { CMAKE_EXPORT_COMPILE_COMMANDS: 'ON' });
  const path = join(folder, 'compile_commands.json');
  const seen = new Set();
  const commands = JSON.parse(readFileSync(path, 'utf8')).filter(({ file }) => {
    const isOurs = /^(native|bindings)\//.test(relative(root, file)) && !seen.has(file);
    seen.add(file);
    return isOurs;
  });
  for (const each of commands)
    each.command = each.command
      .replace(/-Winvalid-pch -include \S+cmake_pch\.hxx/, '')
      .replace(/^\S*ccache /, '');
  writeFileSync(path, JSON.stringify(commands));
  return commands.map(({ file }) => file).sort();
}

/** @param paths parts of file names; none: all. @returns findings */
export function tidy(tell, paths) {
  mkdirSync(folder, { recursive: true });
  const files = writeCommands().filter(
    (file) => paths.length === 0 || paths.some((path) => relative(root, file).includes(path)),
  );
  const program = process.env.CLANG_TIDY ?? 'clang-tidy-14';
  let findings = 0;
  for (const file of files) {
    const { status, stdout, stderr, error } = spawnSync(program, ['-p', folder, '--quiet', file], {
      encoding: 'utf8',
    });
    if (error) throw error;
    if (status === 0) continue;
    findings++;
    console.log(stdout.trim() || stderr.trim());
  }
  tell(
    `${files.length} files of native/ and bindings/`,
    files.length > 0 && findings === 0,
    `${findings} with findings`,
  );
}
