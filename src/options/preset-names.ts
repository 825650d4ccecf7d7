/** Names of the published settings; what they stand for is in runs/paper/presets.ts. */
export const presetNames = ['crane', 'crane+', 'crane+-dagm', 'crane+-medical'] as const;
export type PresetName = (typeof presetNames)[number];

/** The paper's tables that --paper-table makes; what stands in them is in runs/paper/experiments.ts. */
export const paperTableNames = ['2a', '2b', '2c', '2d', '5', '6'] as const;
export type PaperTableName = (typeof paperTableNames)[number];
