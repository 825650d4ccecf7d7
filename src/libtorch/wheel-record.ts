/** RECORD of a wheel: path -> sha256 of each member (hex). */

export function parseRecord(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    // path,sha256=<base64url without padding>,size; a path with a comma is quoted
    const match = /^(?:"((?:[^"]|"")*)"|([^,]*)),sha256=([A-Za-z0-9_-]+),\d*$/.exec(line.trim());
    if (!match) continue;
    const path = match[1]?.replaceAll('""', '"') ?? match[2] ?? '';
    sums.set(path, Buffer.from(match[3]!, 'base64url').toString('hex'));
  }
  return sums;
}
