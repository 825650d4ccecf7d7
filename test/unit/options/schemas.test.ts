/** Every option's schemas say of a value what the option itself says of it: OpenAPI promises nothing else. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { type OptionSpec, textSchemaOf } from '../../../src/options/kinds.js';
import { optionNames, options } from '../../../src/options/table.js';

const ofRequests = optionNames.filter((name) => (options[name].scope as readonly string[]).includes('http'));
const ajv = new Ajv2020({ strict: false });
const numbers = [-1, 0, 0.5, 1, 2, 7, 8, 8.5, 16, 17, 360, 361, 1e9, 2 ** 53, 1e300];
const words = [
  '',
  ' ',
  'auto',
  'none',
  'null',
  'true',
  'false',
  'abc',
  'a,b',
  ',',
  'both',
  'prompts',
  'vision',
];
const lists = [
  '6,12',
  '6,,12',
  '6,12,',
  '0,1',
  '6, 12',
  '6,1.5',
  '06',
  '1,2,3,4',
  '0,0,1,1',
  '0,0,0,1',
  '1,-1',
  `6${',6'.repeat(63)}`,
  `6${',6'.repeat(64)}`,
];
const odd = [
  '0x10',
  '1e1',
  '+5',
  ' 5',
  '5 ',
  '.5',
  '5.',
  'Infinity',
  'NaN',
  '9999999999',
  '1,2,3,99999999999',
];
const texts = [...numbers.map(String), ...words, ...lists, ...odd];
/** Of two numbers the lower comes first: no schema says that. */
const isOutOfOrder = (low: number, high: number) => low >= high;

/** A text fits where its words do, or where what it stands for does. */
function fitsText(schema: object, text: string): boolean {
  const validate = ajv.compile(schema);
  if (validate(text)) return true;
  if (text === 'true' || text === 'false') return validate(text === 'true');
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  return isNumber && validate(Number(text));
}

describe.each(ofRequests)('%s', (name) => {
  const spec = options[name] as OptionSpec<unknown>;

  it('takes those texts that its schema of texts describes', () => {
    for (const text of texts) {
      const [low, high] = text.split(',').map(Number);
      if (/^[^,]+,[^,]+$/.test(text) && isOutOfOrder(low!, high!)) continue;
      expect([text, fitsText(textSchemaOf(spec), text)]).toEqual([text, spec.read(text) !== undefined]);
    }
  });

  it('takes those values that its schema describes', () => {
    const values = [
      ...numbers,
      ...texts,
      null,
      true,
      [],
      ...numbers.map((number) => [number]),
      [6, 12],
      Array(64).fill(6),
      Array(65).fill(6),
      ['a'],
      [''],
      {},
      { low: 0, high: 1 },
      { low: 0 },
      { low: 'a', high: 1 },
      { x: 0, y: 0, width: 1, height: 1 },
      { x: 0, y: 0, width: 0, height: 1 },
      { x: 0.5, y: 0, width: 1, height: 1 },
      { x: 0, y: 0, width: 1e12, height: 1 },
    ];
    const validate = ajv.compile(spec.schema);
    for (const value of values) expect([value, validate(value)]).toEqual([value, spec.accepts(value)]);
  });
});

it('is about many options', () => {
  expect(ofRequests.length).toBeGreaterThan(25);
  for (const name of ['bitDepth', 'bankBlocks', 'roi', 'valueRange', 'threshold', 'evidence'])
    expect(ofRequests).toContain(name);
});
