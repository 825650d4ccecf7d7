/** The part of THE table that belongs to `watch`: pictures that arrive in a folder, results that are delivered. */
import { int, type OptionSpec, text } from './kinds.js';
import type { WatchCommandOptions } from './types.js';

const cli = ['cli'] as const;
const group = 'Watching';

export const watchOptions = {
  settleMs: int({
    group,
    scope: cli,
    min: 0,
    max: 3_600_000,
    default: 1000,
    help: 'milliseconds for which a file must not grow before it is taken as whole',
  }),
  moveTo: text({
    group,
    scope: cli,
    defaultText: 'files stay',
    help: 'folder to which files are moved once their result is kept',
  }),
  state: text({
    group,
    scope: cli,
    defaultText: 'FOLDER.crane-watch.jsonl beside the folder',
    help: 'file that remembers results and deliveries over restarts',
  }),
  deliver: text({
    group,
    scope: cli,
    defaultText: 'none',
    help: 'file of JSON Lines to which each result is appended',
  }),
  webhook: text({
    group,
    scope: cli,
    defaultText: 'none',
    help: 'http or https address that each result is sent to (POST), again until it is confirmed',
  }),
  webhookSecret: text({
    group,
    scope: cli,
    defaultText: 'none',
    help: 'file with the secret under which requests to the webhook are signed',
  }),
  mqtt: text({
    group,
    scope: cli,
    defaultText: 'none',
    help: 'broker that each result is published to with QoS 1, for instance mqtt://host',
  }),
  mqttTopic: text({
    group,
    scope: cli,
    default: 'crane-native/results',
    help: 'topic of the results at the broker',
  }),
} satisfies { readonly [K in keyof WatchCommandOptions]: OptionSpec<WatchCommandOptions[K]> };
