/** @returns the model's folder */
export function makeTinyModel(folder: string): Promise<string>;
/** @returns the root of the set */
export function makeNoiseSet(folder: string, pictures: number): Promise<string>;
