/** Names and paths of files may hold anything: nothing of them may steer a terminal. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}
