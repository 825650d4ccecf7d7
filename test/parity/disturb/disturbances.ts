/** Which value of which weight group the self-check disturbs. */

export interface Disturbance {
  group: string;
  file: 'clip' | 'prompt' | 'source';
  tensor: RegExp;
  /** which of the tensors that match; negative counts from the end */
  nth: number;
  /** flat index of the value; later attempts choose another column */
  at: (shape: number[], attempt: number) => number;
  /** what is added to the value */
  amount: number;
}

/** How many single values of a group may be tried: some hardly matter, for instance where their input is near zero. */
export const attempts = 24;

const small = 1e-3;
function shifted(share: number, attempt: number): number {
  return (share + 0.37 * attempt) % 1;
}

/** Row and column as shares of the tensor's sides, so that the choice fits every size. */
function element(row: number, column = 0): Disturbance['at'] {
  return (shape, attempt) => {
    if (shape.length < 2) return Math.floor(shifted(row, attempt) * shape[0]!);
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    return Math.floor(row * shape[0]!) * width + Math.floor(shifted(column, attempt) * width);
  };
}

/** One value of row `row`, where the rows are the last but one axis. */
function rowOf(row: number): Disturbance['at'] {
  return (shape, attempt) => row * shape.at(-1)! + Math.floor(shifted(0.25, attempt) * shape.at(-1)!);
}

const vision = 'visual\\.transformer\\.resblocks\\.\\d+\\.';
const text = '^transformer\\.resblocks\\.\\d+\\.';

export const disturbances: Disturbance[] = [
  {
    group: 'vision patch convolution',
    file: 'clip',
    tensor: /^visual\.conv1\.weight$/,
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'vision class token',
    file: 'clip',
    tensor: /^visual\.class_embedding$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'vision positions',
    file: 'clip',
    tensor: /^visual\.positional_embedding$/,
    nth: 0,
    at: rowOf(1),
    amount: small,
  },
  {
    group: 'vision ln_pre',
    file: 'clip',
    tensor: /^visual\.ln_pre\.weight$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'vision ln_1',
    file: 'clip',
    tensor: new RegExp(`${vision}ln_1\\.bias`),
    nth: -1,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'vision attention, values',
    file: 'clip',
    tensor: new RegExp(`${vision}attn\\.in_proj_weight`),
    nth: -1,
    at: element(0.7, 0.1),
    amount: small,
  },
  {
    group: 'vision attention, queries',
    file: 'clip',
    tensor: new RegExp(`${vision}attn\\.in_proj_weight`),
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'vision attention, keys',
    file: 'clip',
    tensor: new RegExp(`${vision}attn\\.in_proj_weight`),
    nth: 0,
    at: element(0.4, 0.1),
    amount: small,
  },
  {
    group: 'vision attention, qkv bias',
    file: 'clip',
    tensor: new RegExp(`${vision}attn\\.in_proj_bias`),
    nth: -1,
    at: element(0.7),
    amount: small,
  },
  {
    group: 'vision attention, out',
    file: 'clip',
    tensor: new RegExp(`${vision}attn\\.out_proj\\.weight`),
    nth: -1,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'vision ln_2',
    file: 'clip',
    tensor: new RegExp(`${vision}ln_2\\.weight`),
    nth: 5,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'vision mlp, first',
    file: 'clip',
    tensor: new RegExp(`${vision}mlp\\.c_fc\\.weight`),
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'vision mlp, second',
    file: 'clip',
    tensor: new RegExp(`${vision}mlp\\.c_proj\\.weight`),
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'vision ln_post',
    file: 'clip',
    tensor: /^visual\.ln_post\.weight$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'vision projection',
    file: 'clip',
    tensor: /^visual\.proj$/,
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'text token table',
    file: 'clip',
    tensor: /^token_embedding\.weight$/,
    nth: 0,
    at: rowOf(14115),
    amount: small,
  },
  {
    group: 'text positions',
    file: 'clip',
    tensor: /^positional_embedding$/,
    nth: 0,
    at: rowOf(13),
    amount: small,
  },
  {
    group: 'text ln_1',
    file: 'clip',
    tensor: new RegExp(`${text}ln_1\\.bias`),
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'text attention, values',
    file: 'clip',
    tensor: new RegExp(`${text}attn\\.in_proj_weight`),
    nth: 0,
    at: element(0.7, 0.1),
    amount: small,
  },
  {
    group: 'text attention, queries',
    file: 'clip',
    tensor: new RegExp(`${text}attn\\.in_proj_weight`),
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'text attention, keys',
    file: 'clip',
    tensor: new RegExp(`${text}attn\\.in_proj_weight`),
    nth: 0,
    at: element(0.4, 0.1),
    amount: small,
  },
  {
    group: 'text attention, out',
    file: 'clip',
    tensor: new RegExp(`${text}attn\\.out_proj\\.weight`),
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'text ln_2',
    file: 'clip',
    tensor: new RegExp(`${text}ln_2\\.weight`),
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'text mlp, first',
    file: 'clip',
    tensor: new RegExp(`${text}mlp\\.c_fc\\.weight`),
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'text mlp, second',
    file: 'clip',
    tensor: new RegExp(`${text}mlp\\.c_proj\\.weight`),
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'text ln_final',
    file: 'clip',
    tensor: /^ln_final\.weight$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'text projection',
    file: 'clip',
    tensor: /^text_projection$/,
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'prompts, normal context',
    file: 'prompt',
    tensor: /^ctx_pos$/,
    nth: 0,
    at: rowOf(11),
    amount: small,
  },
  {
    group: 'prompts, anomalous context',
    file: 'prompt',
    tensor: /^ctx_neg$/,
    nth: 0,
    at: rowOf(11),
    amount: small,
  },
  {
    group: 'prompts, first deep tokens',
    file: 'prompt',
    tensor: /^compound_prompts_text\./,
    nth: 0,
    at: rowOf(1),
    amount: small,
  },
  {
    group: 'prompts, last deep tokens',
    file: 'prompt',
    tensor: /^compound_prompts_text\./,
    nth: -1,
    at: rowOf(1),
    amount: small,
  },
  { group: 'source class token', file: 'source', tensor: /^cls_token$/, nth: 0, at: rowOf(0), amount: small },
  {
    group: 'source registers',
    file: 'source',
    tensor: /^register_tokens$/,
    nth: 0,
    at: rowOf(1),
    amount: small,
  },
  { group: 'source positions', file: 'source', tensor: /^pos_embed$/, nth: 0, at: rowOf(0), amount: small },
  {
    group: 'source patch convolution',
    file: 'source',
    tensor: /^patch_embed\.proj\.weight$/,
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'source patch bias',
    file: 'source',
    tensor: /^patch_embed\.proj\.bias$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'source norm1',
    file: 'source',
    tensor: /^blocks\.\d+\.norm1\.weight$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'source attention, values',
    file: 'source',
    tensor: /^blocks\.\d+\.attn\.qkv\.weight$/,
    nth: 0,
    at: element(0.9, 0.03),
    amount: small,
  },
  {
    group: 'source attention, queries',
    file: 'source',
    tensor: /^blocks\.\d+\.attn\.qkv\.weight$/,
    nth: 0,
    at: element(0.17, 0.6),
    amount: small,
  },
  {
    group: 'source attention, keys',
    file: 'source',
    tensor: /^blocks\.\d+\.attn\.qkv\.weight$/,
    nth: 0,
    at: element(0.35, 0.6),
    amount: small,
  },
  {
    group: 'source attention, out',
    file: 'source',
    tensor: /^blocks\.\d+\.attn\.proj\.weight$/,
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'source layer scale 1',
    file: 'source',
    tensor: /^blocks\.\d+\.ls1\.gamma$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'source norm2',
    file: 'source',
    tensor: /^blocks\.\d+\.norm2\.weight$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'source mlp, first',
    file: 'source',
    tensor: /^blocks\.\d+\.mlp\.fc1\.weight$/,
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'source mlp, second',
    file: 'source',
    tensor: /^blocks\.\d+\.mlp\.fc2\.weight$/,
    nth: 0,
    at: element(0.1, 0.1),
    amount: small,
  },
  {
    group: 'source layer scale 2',
    file: 'source',
    tensor: /^blocks\.\d+\.ls2\.gamma$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
  {
    group: 'source final norm',
    file: 'source',
    tensor: /^norm\.weight$/,
    nth: 0,
    at: element(0.1),
    amount: small,
  },
];
