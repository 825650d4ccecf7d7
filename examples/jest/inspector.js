// What a service has of its own: a verdict on a picture. Plain CommonJS.
const { CraneError, loadEngine } = require('crane-native');

/** @param options of loadEngine */
async function openInspector(options) {
  const engine = await loadEngine({ threshold: 0.5, ...options });
  return {
    /** @returns what is to be done with the part */
    async inspect(picture) {
      try {
        const { score, anomalous } = await engine.score(picture);
        return { verdict: anomalous ? 'reject' : 'pass', score };
      } catch (error) {
        if (error instanceof CraneError && error.code.startsWith('E_IMAGE_')) return { verdict: 'look again' };
        throw error;
      }
    },
    close: () => engine.dispose(),
  };
}

module.exports = { openInspector };
