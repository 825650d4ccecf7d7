/** Names of the published settings; what they stand for is in runs/paper/presets.ts. */
export const presetNames = ['crane', 'crane+', 'crane+-dagm', 'crane+-medical'] as const;
export type PresetName = (typeof presetNames)[number];
