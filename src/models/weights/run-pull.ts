/** Joins `pull` to the network client: one client for all files of a pull, closed at its end. */
import type { NativeAddon } from '../../addon/native.js';
import { downloadProgress } from '../../net/download-progress.js';
import { HttpClient } from '../../net/http-client.js';
import { certificateFiles } from '../../net/pip-config.js';
import { networkRetries, type RetryPolicy } from '../../net/retry.js';
import type { AddressTable } from './addresses.js';
import { type Pulled, type PullRequest, pull } from './pull.js';

export interface PullSurroundings {
  env: NodeJS.ProcessEnv;
  stop: AbortSignal;
  log(line: string): void;
  loadAddon(): Promise<NativeAddon>;
  retries?: RetryPolicy;
}

export async function runPull(
  request: PullRequest,
  table: AddressTable,
  { env, stop, log, loadAddon, retries = networkRetries }: PullSurroundings,
): Promise<Pulled> {
  const client = new HttpClient(certificateFiles(env));
  try {
    const transfer = { client, retries, log, progress: downloadProgress(log), stop };
    return await pull(request, table, { env, transfer, loadAddon });
  } finally {
    await client.close();
  }
}
