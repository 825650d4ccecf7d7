/** The compiled scripts of the page. They are built apart from the product: they run in a browser, not in Node. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../../errors.js';
import { packageRoot } from '../../files/package-root.js';

const k_folder = join('dist', 'pages', 'report', 'client');
/** In this order: the theme's says to the style sheet that scripts run. */
const k_names = ['theme.js', 'series.js', 'threshold.js'];

/** @throws CraneError E_IO_READ when the package was not built */
export async function clientScripts(folder: string = join(packageRoot, k_folder)): Promise<string[]> {
  return Promise.all(
    k_names.map((name) =>
      readFile(join(folder, name), 'utf8').catch((cause: unknown) => {
        throw new CraneError('E_IO_READ', `${join(folder, name)}: the report's script is missing`, {
          hint: 'build it: npm run build:ts',
          cause,
        });
      }),
    ),
  );
}
