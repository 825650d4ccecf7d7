/** What a scan found and left out, and what was odd about the pictures, on stderr. */

import { type ScanReport, scanLine } from '../scan/scan-account.js';
import { type Context, say, sayJson } from './context.js';

/** @param json for programs: only what they would miss, as JSON */
export function sayScan(context: Context, scan: ScanReport, json: boolean): void {
  if (!json) say(context, scanLine(scan));
  else if (scan.leftOut.length > 0) sayJson(context, { scan });
}

/** @param json for programs: one object, where there is anything to say */
export function sayWarnings(context: Context, warnings: readonly string[], json: boolean): void {
  if (!json) for (const warning of warnings) say(context, `warning: ${warning}`);
  else if (warnings.length > 0) sayJson(context, { warnings });
}
