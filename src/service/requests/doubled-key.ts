/** Keys that an object of JSON has twice: JSON.parse() takes the last one, and nobody could say which was meant. */

/** @param json that JSON.parse() takes. Linear in its length. @returns the first key that is there again in its object */
export function doubledKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  const marks = /["{}]/g;
  const colon = /[\t\n\r ]*:/y;
  for (let mark = marks.exec(json); mark; mark = marks.exec(json)) {
    if (mark[0] === '{') open.push(new Set());
    else if (mark[0] === '}') open.pop();
    else {
      const end = endOfString(json, mark.index);
      marks.lastIndex = end;
      colon.lastIndex = end;
      if (!colon.test(json)) continue;
      const keys = open.at(-1)!;
      const key = JSON.parse(json.slice(mark.index, end)) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

/** @returns the place behind the quote that ends the string which begins at `start` */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json[end - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return end + 1;
  }
}
