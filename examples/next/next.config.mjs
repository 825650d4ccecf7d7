/** A folder that runs without npm: `next build`, then `node .next/standalone/server.js`. */
export default {
  output: 'standalone',
  outputFileTracingRoot: import.meta.dirname,
  // The addon and its files are no code that can be bundled.
  serverExternalPackages: ['crane-native'],
  outputFileTracingIncludes: {
    '/score': ['./node_modules/crane-native/{models,prebuilds,assets}/**/*'],
  },
};
