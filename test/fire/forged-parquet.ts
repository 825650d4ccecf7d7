/** Tables in Parquet with any of their numbers set to what it must not be. */
import { crc32 } from 'node:zlib';

/** of Thrift's compact protocol */
type Value = { kind: 'i32' | 'i64'; value: number | bigint } | string | Value[] | Fields | boolean;
interface Fields {
  fields: Record<number, Value | undefined>;
}

const i32 = (value: number): Value => ({ kind: 'i32', value });
const i64 = (value: number | bigint): Value => ({ kind: 'i64', value });
const struct = (fields: Fields['fields']): Fields => ({ fields });

function varint(given: number | bigint): number[] {
  const bytes: number[] = [];
  let value = BigInt.asUintN(64, BigInt(given));
  for (; value >= 128n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return [...bytes, Number(value)];
}

const zigzag = (given: number | bigint) => {
  const value = BigInt(given);
  return varint(value < 0n ? -2n * value - 1n : 2n * value);
};

function typeOf(value: Value): number {
  if (typeof value === 'string') return 8;
  if (typeof value === 'boolean') return value ? 1 : 2;
  if (Array.isArray(value)) return 9;
  if ('fields' in value) return 12;
  return value.kind === 'i32' ? 5 : 6;
}

function encode(value: Value): number[] {
  if (typeof value === 'boolean') return [];
  if (typeof value === 'string') return [...varint(Buffer.byteLength(value)), ...Buffer.from(value)];
  if (Array.isArray(value)) {
    const type = value.length > 0 ? typeOf(value[0]!) : 12;
    const head = value.length < 15 ? [(value.length << 4) | type] : [0xf0 | type, ...varint(value.length)];
    return [...head, ...value.flatMap(encode)];
  }
  if (!('fields' in value)) return zigzag(value.value);
  const bytes: number[] = [];
  let last = 0;
  for (const [key, field] of Object.entries(value.fields)) {
    if (field === undefined) continue;
    const id = Number(key);
    bytes.push(((id - last) << 4) | typeOf(field), ...encode(field));
    last = id;
  }
  return [...bytes, 0];
}

const text = (value: string) => {
  const bytes = Buffer.from(value);
  return [...u32(bytes.length), ...bytes];
};
export const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return [...bytes];
};

/** Numbers that a fault may replace, by the names that the format has for them. */
export interface Numbers {
  [name: string]: number | undefined;
}

/** What a sound table says at each place. */
export const sound = {
  num_rows: 3,
  group_rows: 3,
  root_children: 2,
  uri_type: 6,
  uri_repetition: 0,
  class_type: 6,
  class_repetition: 1,
  uri_codec: 0,
  uri_num_values: 3,
  uri_page_type: 0,
  uri_page_values: 3,
  uri_encoding: 0,
  uri_text_length: 5,
  class_num_values: 3,
  class_page_type: 0,
  class_page_values: 3,
  class_encoding: 8,
  class_level_encoding: 3,
  class_levels_length: 2,
  class_levels_run: 3,
  class_levels: 0b101,
  class_index_bits: 1,
  class_index_run: 4,
  class_index: 1,
  words_page_type: 2,
  words_values: 2,
  words_encoding: 0,
  words_length: 5,
} as const satisfies Numbers;
/** How much a length or a place is off. */
export const shifts = [
  'uri_page_size',
  'uri_page_bytes',
  'uri_offset',
  'uri_chunk_bytes',
  'class_page_size',
  'class_page_bytes',
  'words_page_size',
  'words_page_bytes',
  'class_offset',
  'class_words_offset',
  'class_chunk_bytes',
  'footer_length',
] as const;

export type Place = keyof typeof sound | (typeof shifts)[number];

/** Three rows: uri in plain text, class from a dictionary, the second without one. */
export const soundRows = [
  { uri: 'a.png', className: 'screw' },
  { uri: 'b.png' },
  { uri: 'c.png', className: 'screw' },
];

/** The table with some of its numbers replaced; of places in `shifts` it is what is added. */
export function forgeParquet(
  faults: Partial<Record<Place, number>> = {},
  {
    names = ['uri', 'class'],
    paths = names,
    isSummed = true,
  }: { names?: string[]; paths?: string[]; isSummed?: boolean } = {},
): Buffer {
  const at = { ...sound, ...Object.fromEntries(shifts.map((name) => [name, 0])), ...faults } as Record<
    Place,
    number
  >;
  const page = (name: 'uri' | 'class' | 'words', body: number[], header: Fields['fields']) => [
    ...encode(
      struct({
        1: i32(at[`${name}_page_type`]),
        2: i32(body.length + at[`${name}_page_bytes`]),
        3: i32(body.length + at[`${name}_page_size`]),
        4: isSummed ? i32(crc32(Buffer.from(body)) | 0) : undefined,
        ...header,
      }),
    ),
    ...body,
  ];
  const data = (values: number, encoding: number, levels: number) =>
    struct({ 1: i32(values), 2: i32(encoding), 3: i32(levels), 4: i32(3) });
  const uri = page(
    'uri',
    [...u32(at.uri_text_length), ...Buffer.from('a.png'), ...text('b.png'), ...text('c.png')],
    { 5: data(at.uri_page_values, at.uri_encoding, 3) },
  );
  const words = page('words', [...text('cable'), ...u32(at.words_length), ...Buffer.from('screw')], {
    7: struct({ 1: i32(at.words_values), 2: i32(at.words_encoding) }),
  });
  const classes = page(
    'class',
    [
      ...u32(at.class_levels_length),
      ...varint(at.class_levels_run),
      at.class_levels & 255,
      at.class_index_bits & 255,
      ...varint(at.class_index_run),
      at.class_index & 255,
    ],
    { 5: data(at.class_page_values, at.class_encoding, at.class_level_encoding) },
  );
  const column = (
    index: number,
    codec: number,
    values: number,
    bytes: number,
    offset: number,
    first?: number,
  ) =>
    struct({
      2: i64(0),
      3: struct({
        1: i32(at[index === 0 ? 'uri_type' : 'class_type']),
        2: [i32(0)],
        3: [paths[index]!],
        4: i32(codec),
        5: i64(values),
        6: i64(bytes),
        7: i64(bytes),
        9: i64(offset),
        11: first === undefined ? undefined : i64(first),
      }),
    });
  const leaf = (name: string, type: number, repetition: number) =>
    struct({ 1: i32(type), 3: i32(repetition), 4: name, 6: i32(0) });
  const uriAt = 4;
  const wordsAt = uriAt + uri.length;
  const footer = encode(
    struct({
      1: i32(1),
      2: [
        struct({ 4: 'schema', 5: i32(at.root_children) }),
        leaf(names[0]!, at.uri_type, at.uri_repetition),
        leaf(names[1]!, at.class_type, at.class_repetition),
      ],
      3: i64(at.num_rows),
      4: [
        struct({
          1: [
            column(
              0,
              at.uri_codec,
              at.uri_num_values,
              uri.length + at.uri_chunk_bytes,
              uriAt + at.uri_offset,
            ),
            column(
              1,
              0,
              at.class_num_values,
              words.length + classes.length + at.class_chunk_bytes,
              wordsAt + words.length + at.class_offset,
              wordsAt + at.class_words_offset,
            ),
          ],
          2: i64(100),
          3: i64(at.group_rows),
        }),
      ],
    }),
  );
  return Buffer.from([
    ...Buffer.from('PAR1'),
    ...[...uri, ...words, ...classes, ...footer],
    ...u32(footer.length + at.footer_length),
    ...Buffer.from('PAR1'),
  ]);
}
