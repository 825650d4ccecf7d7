/** Damaged manifests of JSON Lines: each is refused with its code, or its rows are those that JSON itself finds in it. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readManifest } from '../../src/sources/manifest.js';
import { makeToyFolder } from '../unit/engine/toy-model.js';

// Thousands of small files: what they take is the machine's business.
vi.setConfig({ testTimeout: 300_000 });

let folder: string;
beforeAll(async () => {
  folder = await makeToyFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function outcome(bytes: string | Uint8Array): Promise<unknown> {
  const path = join(folder, 'damaged.jsonl');
  await writeFile(path, bytes);
  try {
    const rows: object[] = [];
    for await (const row of readManifest(path)) rows.push(row);
    return rows;
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? `without a code: ${thrown}`;
  }
}

const sound = Buffer.from(
  '{"uri":"pictures/a ü.png","id":"first","class":"cable"}\n{"uri":"b.png","prompts":null,"normals":"part"}\n{"uri":"c.png"}',
);

/** By JSON alone; undefined where there is no row or one that has another form. */
function plainly(bytes: Uint8Array): object[] | undefined {
  try {
    const lines = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).split('\n');
    return lines
      .filter((line) => line.trim() !== '')
      .map((line) => {
        const { uri, id, class: className, prompts, normals, ...others } = JSON.parse(line);
        const all = Object.entries({ uri, id, className, prompts, normals }).filter(
          ([, value]) => value != null,
        );
        if (Object.keys(others).length > 0 || uri == null) throw new Error('another form');
        if (all.some(([, value]) => typeof value !== 'string' || value === '')) throw new Error('no text');
        return Object.fromEntries(all);
      });
  } catch {
    return undefined;
  }
}

it('each field and each line is what it must not be', async () => {
  const fields = ['uri', 'id', 'class', 'prompts', 'normals'];
  const noText = [
    '1',
    '-0',
    '1e999',
    'true',
    'false',
    '[]',
    '["a"]',
    '{}',
    '{"a":1}',
    '""',
    '"\\ud800"',
    '"\\udc00a"',
  ];
  const lines = [
    ...fields.flatMap((field) =>
      noText.map((value) => (field === 'uri' ? `{"uri":${value}}` : `{"uri":"a.png","${field}":${value}}`)),
    ),
    ...[
      'null',
      '1',
      '"a.png"',
      'true',
      '[]',
      '[{"uri":"a.png"}]',
      '{}',
      '{"uri":null}',
      '{"uri":"a\\u0000b"}',
    ],
    ...[
      'Uri',
      'url',
      'URI',
      'uri ',
      ' uri',
      'path',
      '__proto__',
      'constructor',
      'toString',
      'length',
      '',
    ].map((name) => `{"uri":"a.png","${name}":"x"}`),
    ...[
      '{"__proto__":{"uri":"a.png"}}',
      '{"uri":"a.png","__proto__":{"class":"x"}}',
      '{"uri":{"uri":"a.png"}}',
    ],
    ...[
      "{'uri':'a.png'}",
      '{uri:"a.png"}',
      '{"uri":"a.png",}',
      '{"uri":"a.png"},',
      '{"uri":"a.png"} {"uri":"b.png"}',
    ],
    ...[
      '{"uri":"a.png"}}',
      '{"uri":"a.png"',
      '"uri":"a.png"',
      '{"uri" "a.png"}',
      '{"uri":}',
      '{"uri":a.png}',
      '{,}',
    ],
    ...[
      '// {"uri":"a.png"}',
      '{"uri":"a.png"} // x',
      '/* */ {"uri":"a.png"}',
      '# a',
      'a.png',
      'uri,id',
      '<uri/>',
      '-',
    ],
    ...[
      '{"uri":"a\tb"}',
      '{"uri":"a\\xb"}',
      '{"uri":"\\u12"}',
      '{"uri":"a}',
      '{"uri":NaN}',
      '{"uri":undefined}',
      '\0',
    ],
    ...[
      '['.repeat(100_000),
      `${'{"uri":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
      `{"uri":${'['.repeat(9)}${']'.repeat(9)}}`,
    ],
  ];
  const bad: string[] = [];
  for (const line of lines) {
    for (const text of [line, `{"uri":"first.png"}\n${line}\n`]) {
      const given = await outcome(text);
      if (given !== 'E_DATA_META') bad.push(`${line.slice(0, 60)}: ${JSON.stringify(given).slice(0, 100)}`);
    }
  }
  expect(bad).toEqual([]);
  expect(2 * lines.length).toBeGreaterThan(200);
  console.log(`${2 * lines.length} manifests with a wrong line`);
});

it('bytes that are no text are not taken for another one', async () => {
  const noText = [
    'ff',
    'c0af',
    'c3',
    'e282',
    'eda080',
    'f0808080',
    'f8888080',
    '80',
    'f4908080',
    'fffe',
    'fc',
  ];
  for (const hex of noText) {
    for (const [before, after] of [
      ['{"uri":"a', '.png"}'],
      ['{"uri":"a.png","class":"', '"}\n'],
      ['', '{"uri":"a.png"}'],
      ['{"uri":"a.png"}\n', ''],
    ] as const) {
      const given = await outcome(
        Buffer.concat([Buffer.from(before), Buffer.from(hex, 'hex'), Buffer.from(after)]),
      );
      expect(given, `${before} ${hex}`).toBe('E_TEXT_ENCODING');
    }
  }
});

it('every truncation and every single bit', async () => {
  const rows = (await outcome(sound)) as object[];
  expect(rows).toEqual([
    { uri: 'pictures/a ü.png', id: 'first', className: 'cable' },
    { uri: 'b.png', normals: 'part' },
    { uri: 'c.png' },
  ]);
  const bad: string[] = [];
  const see = (what: string, given: unknown, bytes: Uint8Array) => {
    const isRefused = given === 'E_DATA_META' || given === 'E_TEXT_ENCODING';
    const isAsWritten = JSON.stringify(given) === JSON.stringify(plainly(bytes));
    if (!isRefused && !isAsWritten) bad.push(`${what}: ${JSON.stringify(given)}`);
  };
  for (let length = 0; length < sound.length; length++) {
    const cut = sound.subarray(0, length);
    const given = await outcome(cut);
    see(`cut at ${length}`, given, cut);
    if (Array.isArray(given)) expect(given).toEqual(rows.slice(0, given.length));
  }
  let refused = 0;
  for (let bit = 0; bit < 8 * sound.length; bit++) {
    const copy = Buffer.from(sound);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    const given = await outcome(copy);
    see(`bit ${bit & 7} of byte ${bit >> 3}`, given, copy);
    if (!Array.isArray(given)) refused++;
  }
  expect(bad).toEqual([]);
  expect(refused).toBeGreaterThan(500);
});
