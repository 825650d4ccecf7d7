/** What a scan found and left out, and what was odd about the pictures, on stderr. */

import { type ScanReport, scanLine } from '../scan/scan-account.js';
import { visible } from '../terminal/visible.js';
import { type Context, say } from './context.js';

/** @param json for programs: only what they would miss, as JSON */
export function sayScan(context: Context, scan: ScanReport, json: boolean): void {
  if (!json) say(context, visible(scanLine(scan)));
  else if (scan.leftOut.length > 0) say(context, JSON.stringify({ scan }));
}

/** @param json for programs: one object, where there is anything to say */
export function sayWarnings(context: Context, warnings: readonly string[], json: boolean): void {
  if (!json) for (const warning of warnings) say(context, `warning: ${visible(warning)}`);
  else if (warnings.length > 0) say(context, JSON.stringify({ warnings }));
}
