const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { openInspector } = require('./inspector.js');

const samples = join(dirname(require.resolve('crane-native/package.json')), 'models', 'crane-mini', 'samples');

// Weights are read once for all tests of the file; a busy machine takes its time.
jest.setTimeout(120_000);

describe('the inspector', () => {
  let inspector;
  beforeAll(async () => {
    inspector = await openInspector({ threads: 1 });
  });
  afterAll(() => inspector.close());

  it('judges a picture by its path and by its bytes alike', async () => {
    const path = join(samples, 'bsdata-good-g00.jpg');
    const byPath = await inspector.inspect(path);
    expect(byPath.score).toBeGreaterThan(0);
    expect(['pass', 'reject']).toContain(byPath.verdict);
    // Buffers here are made under Jest's own globals.
    expect(await inspector.inspect(readFileSync(path))).toEqual(byPath);
  });

  it('takes pixels', async () => {
    const grey = { data: new Uint8Array(64 * 64).fill(128), width: 64, height: 64, channels: 1 };
    expect((await inspector.inspect(grey)).score).toBeGreaterThan(0);
  });

  it('knows a damaged picture by its code', async () => {
    expect(await inspector.inspect(Buffer.from('no picture'))).toEqual({ verdict: 'look again' });
    await expect(inspector.inspect('nowhere.png')).rejects.toMatchObject({ code: 'E_INPUT_NOT_FOUND' });
  });
});
