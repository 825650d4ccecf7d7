type Help = { reserve?: ((bytes: number) => Promise<void>) | undefined };
export function doubled(given: { data: Float32Array }): Promise<{ data: Float32Array; thread: number }>;
export function slow(given: { ms: number }): Promise<number>;
export function nested(given: { module: string }): Promise<number>;
export function granted(given: { bytes: number }, help: Help): Promise<string>;
export function failed(given: object): Promise<never>;
export function ended(given: object): Promise<never>;
