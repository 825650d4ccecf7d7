/** Preloaded with --import: appends the URL of every module that the process loads to the file LOADED_MODULES. */
import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

const list = process.env.LOADED_MODULES;
const hook = `
  import { appendFileSync } from 'node:fs';
  export function load(url, context, next) {
    appendFileSync(${JSON.stringify(list)}, url + '\\n');
    return next(url, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

// What CommonJS requires passes no hook, addons (process.dlopen) among it.
const { cache } = createRequire(import.meta.url);
process.on('exit', () => {
  for (const path of Object.keys(cache)) appendFileSync(list, `${pathToFileURL(path)}\n`);
});
