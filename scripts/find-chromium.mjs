// The Chromium that browser tests drive: CHROMIUM_PATH, else where systems put it; undefined when there is none.
// A browser is never downloaded.
import { existsSync } from 'node:fs';

const places = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map(
  (name) => `/usr/bin/${name}`,
);

export function findChromium() {
  const given = process.env.CHROMIUM_PATH;
  return given ? (existsSync(given) ? given : undefined) : places.find((path) => existsSync(path));
}
