/** The peers that --vs knows, and how each is started. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CraneOptions } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { packageRoot } from '../files/package-root.js';
import { pythonCandidates } from '../libtorch/python.js';
import { methodName } from '../methods/descriptor.js';
import { findMethod } from '../methods/registry.js';
import { withTowersOf } from '../models/method-towers.js';
import type { Model } from '../models/model-json.js';
import type { EngineOptions } from '../options/types.js';
import type { Command } from './asked-process.js';
import type { EngineParty } from './engine-party.js';
import type { EngineSetup } from './engine-peer.js';
import { totalGflop, towerWork } from './operations.js';
import type { PeerPlan } from './peer.js';

/** Peers in Python that know a plain tower alone: assets/peers/<file>.py, run by peer.py beside them. */
const towerPeers = { pytorch: 'vit_pytorch', openvino: 'vit_openvino' } as const;
/** Those that compute the method itself: as its code does it, and with the fastest operators for the same. */
const writings = ['authors', 'batched'] as const;
type PythonPeer = keyof typeof towerPeers | (typeof writings)[number];

/** Every kernel of ours replaced by what libtorch offers. */
const k_plainKernels = 'linear=ref,attention=fused,affinity=ref';

/**
 * glibc keeps what a peer frees instead of giving it back to the system: with its usual settings every [N, N] matrix
 * comes as fresh pages, and a third of PyTorch's time would be page faults. This favours the peer.
 */
const k_keptHeap = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: String(2 ** 40) };

/** Names that are no models. */
const pythonPeers: readonly string[] = [...Object.keys(towerPeers), ...writings];
export const peerNames: readonly string[] = ['plain', ...pythonPeers];

export interface PeerSurroundings {
  env: NodeJS.ProcessEnv;
  /** --python */
  python: string | undefined;
  options: EngineOptions;
}

/** Whom --vs means. @throws CraneError E_MODEL_NOT_FOUND, E_MODEL_JSON for what is neither a peer nor a model */
export async function choosePeer(
  name: string,
  surroundings: PeerSurroundings,
  findModel: (name: string) => Promise<Model>,
): Promise<(own: EngineParty, model: Model) => PeerPlan> {
  if (isPythonPeer(name)) return (own, model) => pythonPeer(name, own, model, surroundings);
  // Our engine with libtorch's operators in the place of our kernels, on the same model.
  if (name === 'plain') {
    return (own, model) => enginePeer(name, model, own, surroundings, { CRANE_KERNELS: k_plainKernels });
  }
  const other = await findModel(name).catch((thrown: CraneError) => {
    const hint = `peers are ${peerNames.join(', ')}, and models. ${thrown.hint ?? ''}`.trim();
    throw thrown.code === 'E_MODEL_NOT_FOUND'
      ? new CraneError(thrown.code, thrown.message, { hint })
      : thrown;
  });
  return (own) => enginePeer(name, other, own, surroundings, {});
}

function enginePeer(
  name: string,
  model: Model,
  own: EngineParty,
  { env, options }: PeerSurroundings,
  more: NodeJS.ProcessEnv,
): PeerPlan {
  const setup: EngineSetup = { model: model.folder, options: { ...options, threads: own.facts.threads } };
  const program = fileURLToPath(new URL('./engine-peer.js', import.meta.url));
  return { name, setup, command: { program: process.execPath, args: [program], env: { ...env, ...more } } };
}

function isPythonPeer(name: string): name is PythonPeer {
  return pythonPeers.includes(name);
}

/** A peer in Python on random weights of the same sizes. */
function pythonPeer(
  name: PythonPeer,
  own: EngineParty,
  model: Model,
  { env, python }: PeerSurroundings,
): PeerPlan {
  const { module, setup } = pythonWork(name, own, model);
  const script = join(packageRoot, 'assets', 'peers', 'peer.py');
  const program = python ?? pythonCandidates(env)[0]!;
  const settings = { PYTHONDONTWRITEBYTECODE: '1', ...k_keptHeap };
  const command: Command = { program, args: [script, module], env: { ...env, ...settings } };
  return { name, command, setup };
}

/** The module of assets/peers, and what peer.py hands to it. @throws CraneError E_METHOD */
function pythonWork(
  name: PythonPeer,
  { engine, facts, work: { vision, crane } }: EngineParty,
  model: Model,
): { module: string; setup: object } {
  const { input, device } = engine.facts;
  const { threads } = facts;
  // PyTorch has no such layers: beside ours in int8 stands what it computes in float32, which the table names.
  const precision = facts.precision === 'int8' && name !== 'openvino' ? 'float32' : facts.precision;
  const setup = { threads, precision, device, input, vision };
  if (name !== 'authors' && name !== 'batched')
    return { module: towerPeers[name], setup: { ...setup, gflop: totalGflop(towerWork(vision)) } };
  const { gflop } = facts;
  if (!crane)
    return { module: 'systems_pytorch', setup: { ...setup, gflop, ...systemSetup(name, engine, model) } };
  if (name === 'batched')
    throw new CraneError('E_METHOD', 'peer batched computes the compared systems, and this is Crane', {
      hint: '--vs authors',
    });
  const { jointWidth, eAttn, dAttn } = crane;
  const ofCrane = {
    jointWidth,
    eAttn,
    // null: SAM's windows are not in that peer, which says so
    ...(dAttn
      ? { source: dAttn.source.tower ?? null, beta: (engine.settings().method as CraneOptions).dAttnBeta }
      : {}),
  };
  return { module: 'authors_pytorch', setup: { ...setup, gflop, ...ofCrane } };
}

/** @throws CraneError E_METHOD for a method that those peers do not compute */
function systemSetup(writing: string, engine: EngineParty['engine'], model: Model): object {
  const { method } = engine.settings();
  const name = methodName(method);
  const { backbone } = findMethod(name);
  if (!backbone)
    throw new CraneError('E_METHOD', `peer ${writing} does not compute method ${name}`, {
      hint: `bench without it: no --vs ${writing}`,
    });
  const { activation, positionInterpolation } = withTowersOf(name, model).vision;
  const { text, jointWidth } = engine.facts;
  return { writing, method, activation, positions: positionInterpolation.kind, text, jointWidth };
}
