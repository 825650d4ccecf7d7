/**
 * All commands. A command of its own room exports a yargs module; adding one is one line here. A module is loaded when its command
 * is called, so that a command pays for no other.
 */
import type { CommandModule } from 'yargs';
import type { Context } from './context.js';

const loaders: Record<string, (context: Context) => Promise<CommandModule>> = {
  score: async (context) => (await import('./score.js')).scoreCommand(context),
  merge: async (context) => (await import('./merge.js')).mergeCommand(context),
  submit: async (context) => (await import('./submit.js')).submitCommand(context),
  worker: async (context) => (await import('./worker.js')).workerCommand(context),
  queue: async (context) => (await import('./queue.js')).queueCommand(context),
  plan: async (context) => (await import('./plan.js')).planCommand(context),
  demo: async (context) => (await import('./demo.js')).demoCommand(context),
  serve: async (context) => (await import('./serve.js')).serveCommand(context),
  watch: async (context) => (await import('./watch.js')).watchCommand(context),
  train: async (context) => (await import('./train.js')).trainCommand(context),
  test: async (context) => (await import('./test.js')).testCommand(context),
  calibrate: async (context) => (await import('./calibrate.js')).calibrateCommand(context),
  normals: async (context) => (await import('./normals.js')).normalsCommand(context),
  bench: async (context) => (await import('./bench.js')).benchCommand(context),
  doctor: async (context) => (await import('./doctor.js')).doctorCommand(context),
  weights: async (context) => (await import('./weights.js')).weightsCommand(context),
  methods: async (context) => (await import('./methods.js')).methodsCommand(context),
  data: async (context) => (await import('./data.js')).dataCommand(context),
  build: async () => (await import('./build.js')).buildCommand,
};

export const commandNames: readonly string[] = Object.keys(loaders);

/** The command that the arguments begin with; all of them for the list of commands, and for what is misspelt. */
export function commandsFor(args: readonly string[], context: Context): Promise<CommandModule[]> {
  const [first] = args;
  const isNamed = first !== undefined && Object.hasOwn(loaders, first);
  const names = isNamed ? [first] : isVersion(args) ? [] : commandNames;
  return Promise.all(names.map((name) => loaders[name]!(context)));
}

function isVersion(args: readonly string[]): boolean {
  return args.length === 1 && args[0] === '--version';
}
