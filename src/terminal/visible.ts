/** Names and paths of files may hold anything: nothing of them may steer a terminal. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/** The same where lines are meant. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}
