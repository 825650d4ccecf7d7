/**
 * Number format of the products in the vision towers. Sums, softmax, LayerNorm and everything from the features on
 * are float32 in each.
 */
export type Precision = 'float32' | 'bfloat16' | 'float16';
