/** Address of the Python package index: from pip's settings, else asked from pip. None stands in this code. */

import { pipSetting } from '../net/pip-config.js';
import { shownAddress } from '../terminal/shown-address.js';
import { pythonCandidates } from './python.js';
import { runProgram } from './run-program.js';

export type IndexAddress = { url: string; from: string } | { url?: never; problem: string };

export async function indexAddress(env: NodeJS.ProcessEnv = process.env): Promise<IndexAddress> {
  const noIndex = pipSetting('no-index', env);
  if (noIndex && /^(1|true|yes|on)$/i.test(noIndex.value))
    return { problem: `pip is told to use no index (${noIndex.from})` };
  const configured = pipSetting('index-url', env);
  if (configured) {
    if (/^https?:\/\//.test(configured.value)) return { url: configured.value, from: configured.from };
    return {
      problem: `the index of ${configured.from} is not an http address: ${shownAddress(configured.value)}`,
    };
  }
  return askPip(env);
}

/**
 * pip prints the default of --index-url in its help, which is the one public place where it names it. COLUMNS
 * keeps the help from breaking the address over two lines.
 */
async function askPip(env: NodeJS.ProcessEnv): Promise<IndexAddress> {
  const wide = { ...env, COLUMNS: '1000', PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  const calls: [string, string[]][] = [
    ...pythonCandidates(env).map((python): [string, string[]] => [python, ['-m', 'pip']]),
    ['pip3', []],
    ['pip', []],
  ];
  for (const [program, before] of calls) {
    const answer = await runProgram(program, [...before, 'download', '--help'], { env: wide });
    if (answer.status !== 0) continue;
    const help = answer.stdout.slice(answer.stdout.indexOf('--index-url'));
    const url = /\(default:?\s+(https?:\/\/[^\s)]+)\)/.exec(help)?.[1];
    if (url) return { url, from: [program, ...before].join(' ') };
  }
  return {
    problem: 'no index address: PIP_INDEX_URL is not set, no pip.conf names one and there is no pip to ask',
  };
}
