/** A party in a process of its own. */
import { CraneError } from '../errors.js';
import { AskedProcess, type Command } from './asked-process.js';
import type { Party, PartyFacts, Sample } from './party.js';

/** How a peer is started. */
export interface PeerPlan {
  /** what --vs calls it */
  name: string;
  command: Command;
  /** first thing that its process is told */
  setup: unknown;
}

export interface Patience {
  /** to open, with reading of weights */
  openMs: number;
  /** to prepare for a batch size before it is timed, with compiling */
  prepareMs: number;
  /** for one picture; a batch gets as many times that */
  pictureMs: number;
}

/** Generous: a machine may be ten times slower than those that were tried, and a hanging peer is still told. */
export const patience: Patience = { openMs: 600_000, prepareMs: 600_000, pictureMs: 300_000 };

/** @throws CraneError E_BENCH_PEER, E_CANCELLED; no process is left behind then */
export async function openPeer(
  plan: PeerPlan,
  stop: AbortSignal,
  limits: Patience = patience,
): Promise<Party> {
  const child = new AskedProcess(plan.name, plan.command);
  try {
    const answer = await child.ask({ setup: plan.setup }, limits.openMs, stop);
    if (!('ready' in answer)) throw child.fault('did not say that it is ready');
    return new Peer(plan.name, answer.ready as PartyFacts, child, limits);
  } catch (thrown) {
    await child.close(0);
    throw thrown;
  }
}

class Peer implements Party {
  readonly #child: AskedProcess;
  readonly #limits: Patience;

  constructor(
    readonly name: string,
    readonly facts: PartyFacts,
    child: AskedProcess,
    limits: Patience,
  ) {
    this.#child = child;
    this.#limits = limits;
  }

  async run(batch: number, stop: AbortSignal): Promise<Sample> {
    const timeoutMs = this.#limits.prepareMs + batch * this.#limits.pictureMs;
    const answer = await this.#child.ask({ run: { batch } }, timeoutMs, stop);
    if ('sample' in answer) return answer.sample as Sample;
    throw new CraneError('E_BENCH_PEER', `${this.name} answered without a sample`);
  }

  close(): Promise<void> {
    return this.#child.close();
  }
}
