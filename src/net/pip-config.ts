/**
 * pip's own settings, so that a machine set up for a mirror needs no second setting: environment variables
 * over the command's section over [global]; files in pip's order (global, user, site, PIP_CONFIG_FILE).
 * Source: pip's user guide, "Configuration".
 */
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';

export type PipSettings = Map<string, string>;

export interface PipSetting {
  value: string;
  /** for the log: 'PIP_INDEX_URL', another variable, or 'pip.conf' */
  from: string;
}

/** One setting by its long option name, for instance 'index-url'. */
export function pipSetting(name: string, env: NodeJS.ProcessEnv = process.env): PipSetting | undefined {
  const variable = `PIP_${name.toUpperCase().replaceAll('-', '_')}`;
  const fromEnvironment = env[variable]?.trim();
  if (fromEnvironment) return { value: fromEnvironment, from: variable };
  const sections = new Map<string, { value: string; file: string }>();
  for (const file of configFiles(env)) {
    for (const [key, value] of parseIni(readIfThere(file))) sections.set(key, { value, file });
  }
  for (const section of ['install', 'download', 'global']) {
    const found = sections.get(`${section}.${name}`);
    if (found?.value) return { value: found.value, from: found.file };
  }
  return undefined;
}

/** Least important first. PIP_CONFIG_FILE naming the null device switches all files off, as in pip. */
export function configFiles(
  env: NodeJS.ProcessEnv = process.env,
  platform: string = process.platform,
): string[] {
  const named = env['PIP_CONFIG_FILE'];
  if (named === '/dev/null' || named?.toLowerCase() === 'nul') return [];
  const name = platform === 'win32' ? 'pip.ini' : 'pip.conf';
  const home = env['HOME'] ?? homeIfAny();
  const files: string[] = [];
  if (platform === 'win32') {
    files.push(join(env['ProgramData'] ?? 'C:\\ProgramData', 'pip', name));
    if (home) files.push(join(home, 'pip', name));
    if (env['APPDATA']) files.push(join(env['APPDATA'], 'pip', name));
  } else {
    if (platform === 'darwin') files.push(join('/Library/Application Support/pip', name));
    else files.push(...(env['XDG_CONFIG_DIRS'] || '/etc/xdg').split(':').map((d) => join(d, 'pip', name)));
    files.push('/etc/pip.conf');
    if (home) {
      files.push(join(home, '.pip', name));
      if (platform === 'darwin') files.push(join(home, 'Library/Application Support/pip', name));
      files.push(join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'pip', name));
    }
  }
  for (const prefix of ['VIRTUAL_ENV', 'CONDA_PREFIX']) if (env[prefix]) files.push(join(env[prefix], name));
  if (named) files.push(named);
  return files;
}

/** 'section.key' -> value; keys are lower case with '-', as pip normalises them. */
export function parseIni(text: string): PipSettings {
  const settings: PipSettings = new Map();
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue;
    const heading = /^\[([^\]]+)\]$/.exec(trimmed);
    if (heading) {
      section = heading[1]!.trim();
      continue;
    }
    const pair = /^([^=:\s]+)\s*[=:]\s*(.*)$/.exec(trimmed);
    if (pair) settings.set(`${section}.${pair[1]!.toLowerCase().replaceAll('_', '-')}`, pair[2]!.trim());
  }
  return settings;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // most of pip's locations do not exist
    return '';
  }
}

function homeIfAny(): string | undefined {
  try {
    return os.homedir();
  } catch {
    return undefined;
  }
}

/** PEM files, or folders of them, of certificate authorities that the user named for pip or for TLS at large. */
export function certificateFiles(env: NodeJS.ProcessEnv = process.env): PipSetting[] {
  const named = [
    pipSetting('cert', env),
    ...['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'].map((from) => ({ value: env[from] ?? '', from })),
  ];
  return named.flatMap((file) => (file && existsSync(file.value) ? [file] : []));
}
