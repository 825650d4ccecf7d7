/**
 * Number format of the products in the vision towers. Sums, softmax, LayerNorm and everything from the features on
 * are float32 in each. In int8 it is that of the linear layers alone: attention multiplies in bfloat16 or float32.
 */
export type Precision = 'float32' | 'bfloat16' | 'float16' | 'int8';
