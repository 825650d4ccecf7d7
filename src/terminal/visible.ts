/** Names and paths of files may hold anything: nothing of them may steer a terminal. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/** The same where lines are meant. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** Of a text of JSON: it says the same, and nothing in it steers a terminal. JSON itself leaves some control characters as they are. */
export function visibleJsonText(json: string): string {
  return json.replace(/[\x7f-\x9f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/** As one line of JSON. */
export function visibleJson(value: unknown): string {
  return visibleJsonText(JSON.stringify(value));
}
