import { loadEngine } from 'crane-native';

/** One for the process, loaded by the first request: routes are also imported while Next builds. */
let loading;

export function engine() {
  loading ??= loadEngine({ maxQueue: 64 });
  return loading;
}
