/** crane-native for CommonJS: the same names and types as for `import` (test/types/commonjs holds them together). */
import type * as library from '../dist/index.js' with { 'resolution-mode': 'import' };

type Library = typeof library;

export declare const AnomalyMap: Library['AnomalyMap'];
export declare const CraneError: Library['CraneError'];
export declare const NormalBank: Library['NormalBank'];
export declare const calibrate: Library['calibrate'];
export declare const createTrainer: Library['createTrainer'];
export declare const errorTable: Library['errorTable'];
export declare const evaluateDataSets: Library['evaluateDataSets'];
export declare const isFailed: Library['isFailed'];
export declare const isScored: Library['isScored'];
export declare const loadEngine: Library['loadEngine'];
export declare const mapOf: Library['mapOf'];
export declare const metrics: Library['metrics'];
export declare const openDataSet: Library['openDataSet'];
export declare const outlinesToCoco: Library['outlinesToCoco'];
export declare const outlinesToLabelme: Library['outlinesToLabelme'];
export declare const readTestRun: Library['readTestRun'];
export declare const regionOutlines: Library['regionOutlines'];

// Classes are types too; the rest are types alone.
export type AnomalyMap = library.AnomalyMap;
export type CraneError = library.CraneError;
export type NormalBank = library.NormalBank;
export type * from '../dist/index.js' with { 'resolution-mode': 'import' };
