/** A whole run: for each number of threads everybody is opened, for each batch size the rounds are run. */

import type { NativeAddon } from '../addon/native.js';
import { type CraneError, toCraneError } from '../errors.js';
import { methodName } from '../methods/descriptor.js';
import type { Model } from '../models/model-json.js';
import type { EngineOptions } from '../options/types.js';
import { type EngineParty, openEngineParty } from './engine-party.js';
import { openGemm } from './gemm.js';
import { describeMachine } from './machine.js';
import { totalGflop } from './operations.js';
import type { Party } from './party.js';
import { openPeer, type Patience, type PeerPlan } from './peer.js';
import { type BenchReport, summarise } from './report.js';
import { runRounds } from './rounds.js';

export interface BenchPlan {
  addon: NativeAddon;
  model: Model;
  isSynthetic: boolean;
  options: EngineOptions;
  threads: readonly number[];
  /** auto: 1 on a CPU, 8 on a GPU */
  batches: readonly (number | 'auto')[];
  rounds: number;
  warmup: number;
  seconds: number | undefined;
  /** made when ours is open, because peers are told its sizes and threads */
  peers: readonly ((own: EngineParty, model: Model) => PeerPlan)[];
  patience?: Patience;
  command: string;
  stop: AbortSignal;
  onProgress: (event: BenchProgress) => void;
}

export type BenchProgress =
  | { stage: 'open'; name: string }
  | { stage: 'round'; batch: number; threads: number; step: number; steps: number; name: string }
  | { stage: 'failure'; name: string; error: CraneError };

/** An interruption leaves what was measured until then. @throws CraneError what our own engine throws */
export async function runBench(plan: BenchPlan): Promise<BenchReport> {
  const { addon, model, stop } = plan;
  const { version, libtorch, isa, kernels } = await addon.info();
  const report: BenchReport = {
    format: 2,
    date: new Date().toISOString(),
    command: plan.command,
    machine: describeMachine(),
    engine: { version, libtorch, isa, kernels, device: '' },
    model: { name: model.name, method: '', synthetic: plan.isSynthetic, input: model.input, parameters: 0 },
    work: { gflop: 0, parts: [] },
    settings: { rounds: plan.rounds, warmup: plan.warmup, seconds: plan.seconds ?? null },
    runs: [],
    failures: [],
    interrupted: false,
  };
  for (const threads of plan.threads) {
    if (stop.aborted) break;
    await runThreads(plan, threads, report);
  }
  report.interrupted = stop.aborted;
  return report;
}

async function runThreads(plan: BenchPlan, threads: number, report: BenchReport): Promise<void> {
  const { addon, model, stop, onProgress } = plan;
  onProgress({ stage: 'open', name: model.name });
  const options = { ...plan.options, threads };
  const own = await openEngineParty({ name: 'ours', addon, model, options });
  const parties: Party[] = [own];
  try {
    noteEngine(report, own);
    const fail = (name: string, thrown: unknown) => {
      const error = toCraneError(thrown);
      const { code, message, hint } = error;
      report.failures.push({ name, threads: own.facts.threads, code, message, ...(hint ? { hint } : {}) });
      onProgress({ stage: 'failure', name, error });
    };
    for (const planPeer of plan.peers) {
      if (stop.aborted) return;
      const peer = planPeer(own, model);
      onProgress({ stage: 'open', name: peer.name });
      try {
        parties.push(await openPeer(peer, stop, plan.patience));
      } catch (thrown) {
        if (stop.aborted) return;
        fail(peer.name, thrown);
      }
    }
    await runBatches(plan, parties, report, fail);
  } finally {
    await Promise.all(parties.map((party) => party.close()));
  }
}

async function runBatches(
  plan: BenchPlan,
  parties: readonly Party[],
  report: BenchReport,
  onFailure: (name: string, error: CraneError) => void,
): Promise<void> {
  const { stop, onProgress } = plan;
  const own = parties[0] as EngineParty;
  const { threads } = own.facts;
  const gemm = openGemm(plan.addon, own.facts.precision, own.engine.facts.device);
  const failed = new Set<string>();
  const isGpu = own.engine.facts.device.startsWith('cuda');
  const auto = isGpu ? 8 : 1;
  for (const wanted of plan.batches) {
    if (stop.aborted) return;
    const batch = wanted === 'auto' ? auto : wanted;
    const active = parties.filter(({ name }) => !failed.has(name));
    const steps = (plan.rounds + plan.warmup) * (active.length + 1);
    let step = 0;
    const measured = await runRounds({
      parties: active,
      gemm: gemm.time,
      peaks: isGpu ? undefined : () => plan.addon.timePeaks(),
      batch,
      rounds: plan.rounds,
      warmup: plan.warmup,
      limitSeconds: plan.seconds,
      stop,
      onStep: ({ name }) => onProgress({ stage: 'round', batch, threads, step: ++step, steps, name }),
      onFailure: (name, error) => {
        failed.add(name);
        onFailure(name, error);
      },
    });
    const run = summarise({ batch, threads, precision: gemm.precision }, active, measured);
    if (run) report.runs.push(run);
  }
}

function noteEngine(report: BenchReport, { engine, work: { parts } }: EngineParty): void {
  const { device, kernels, input, vision, text, source } = engine.facts;
  report.engine.device = device;
  report.engine.kernels = kernels;
  report.model.method = methodName(engine.settings().method);
  report.model.input = input;
  report.model.parameters = vision.parameters + text.parameters + (source?.parameters ?? 0);
  report.work = { gflop: totalGflop(parts), parts };
}
