/**
 * Checkpoints as PyTorch sees them: the pickle that it would run, and what torch.load(weights_only=True) makes of the file, by
 * itself where it is there, and everywhere by Python's unpickler held to the same allow-list (weights_only.py).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { root } from './crane-native.js';

/** Python with torch: CRANE_TORCH_PYTHON, or build/torch where somebody made it (python3 -m venv, pip install torch). */
export const torchPython = [
  process.env['CRANE_TORCH_PYTHON'],
  join(root, 'build', 'torch', 'bin', 'python'),
].find((path) => path !== undefined && existsSync(path));

/** Without torch. */
export const hasPython = spawnSync('python3', ['--version']).status === 0;

/** What of pickle is needed for a dictionary of tensors, and nothing that could call anything else. */
const opcodes: Readonly<Record<number, { name: string; bytes: number | 'text' | 'lines' | 'long' }>> = {
  [0x80]: { name: 'PROTO', bytes: 1 },
  [0x28]: { name: 'MARK', bytes: 0 },
  [0x29]: { name: 'EMPTY_TUPLE', bytes: 0 },
  [0x2e]: { name: 'STOP', bytes: 0 },
  [0x4a]: { name: 'BININT', bytes: 4 },
  [0x51]: { name: 'BINPERSID', bytes: 0 },
  [0x52]: { name: 'REDUCE', bytes: 0 },
  [0x58]: { name: 'BINUNICODE', bytes: 'text' },
  [0x63]: { name: 'GLOBAL', bytes: 'lines' },
  [0x73]: { name: 'SETITEM', bytes: 0 },
  [0x74]: { name: 'TUPLE', bytes: 0 },
  [0x75]: { name: 'SETITEMS', bytes: 0 },
  [0x7d]: { name: 'EMPTY_DICT', bytes: 0 },
  [0x89]: { name: 'NEWFALSE', bytes: 0 },
  [0x8a]: { name: 'LONG1', bytes: 'long' },
};

/** Every callable that the pickle names. @throws where it holds another opcode than those above, or goes on after STOP */
export async function globalsOf(path: string): Promise<Set<string>> {
  const pickle = storedMember(await readFile(path), 'archive/data.pkl');
  const globals = new Set<string>();
  let at = 0;
  const line = () => {
    const from = at;
    at = pickle.indexOf('\n', at) + 1;
    return pickle.toString('utf8', from, at - 1);
  };
  for (;;) {
    const opcode = opcodes[pickle[at]!];
    if (!opcode) throw new Error(`opcode ${pickle[at]} at ${at} of the pickle in ${path}`);
    at++;
    if (opcode.bytes === 'text') at += 4 + pickle.readUInt32LE(at);
    else if (opcode.bytes === 'long') at += 1 + pickle[at]!;
    else if (opcode.bytes === 'lines') globals.add(`${line()}.${line()}`);
    else at += opcode.bytes;
    if (opcode.name === 'STOP') break;
  }
  if (at !== pickle.length)
    throw new Error(`${pickle.length - at} bytes after the end of the pickle in ${path}`);
  return globals;
}

/** Of a zip whose members are stored, not packed. */
function storedMember(zip: Buffer, name: string): Buffer {
  for (let at = 0; zip.readUInt32LE(at) === 0x04034b50; ) {
    const [bytes, nameLength, extra] = [
      zip.readUInt32LE(at + 22),
      zip.readUInt16LE(at + 26),
      zip.readUInt16LE(at + 28),
    ];
    const data = at + 30 + nameLength + extra;
    if (zip.toString('utf8', at + 30, at + 30 + nameLength) === name) return zip.subarray(data, data + bytes);
    at = data + bytes;
  }
  throw new Error(`no ${name} in the file`);
}

type Hashed = Record<string, { dtype: string; shape: number[]; sha256: string }>;

/** torch.load(weights_only=True) in a process of its own; names of nested dictionaries are joined by a dot. */
function loadedByTorch(path: string): Hashed {
  const script = `
import hashlib, json, sys, torch
def flat(value, name=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value
names = {torch.float32: "F32", torch.int32: "I32"}
loaded = torch.load(sys.argv[1], weights_only=True)
print(json.dumps({name: {"dtype": names[t.dtype], "shape": list(t.shape),
    "sha256": hashlib.sha256(bytes(t.contiguous().reshape(-1).view(torch.uint8).tolist())).hexdigest()} for name, t in flat(loaded)}))
`;
  return JSON.parse(execFileSync(torchPython!, ['-c', script, path], { encoding: 'utf8' })) as Hashed;
}

function loadedByPython(path: string): Hashed {
  const script = join(root, 'test', 'cli', 'weights_only.py');
  return JSON.parse(execFileSync('python3', [script, path], { encoding: 'utf8' })) as Hashed;
}

/** The same of a .safetensors file. */
async function hashedSafetensors(path: string): Promise<Hashed> {
  const file = await readFile(path);
  const begin = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, begin)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return Object.fromEntries(
    tensors.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const sha256 = createHash('sha256')
          .update(file.subarray(begin + from, begin + to))
          .digest('hex');
        return [name, { dtype, shape, sha256 }];
      },
    ),
  );
}

/** It gives every tensor of the .safetensors file; of prompts also the frozen rows that the authors' checkpoint has. */
export async function expectLoaded(
  by: 'torch' | 'python',
  checkpoint: string,
  safetensors: string,
  group: string,
): Promise<void> {
  const loaded = by === 'torch' ? loadedByTorch(checkpoint) : loadedByPython(checkpoint);
  const file = Object.entries(await hashedSafetensors(safetensors));
  const expected = Object.fromEntries(
    file.map(([name, tensor]) => [group === '' ? name : `${group}.${name}`, tensor]),
  );
  expect(loaded).toMatchObject(expected);
  const others = Object.keys(loaded).filter((name) => !Object.hasOwn(expected, name));
  const unread =
    /^prompt_learner\.(token_(prefix|suffix)_(pos|neg)|compound_prompt_projections\.\d+\.(weight|bias))$/;
  expect(others.filter((name) => !unread.test(name))).toEqual([]);
}

/** What a checkpoint of ours may name. */
export const allowedGlobals = [
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch.FloatStorage',
  'torch.IntStorage',
];
