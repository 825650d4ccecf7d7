/** What commands print: nothing of it steers a terminal. */
import { readdirSync, readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import * as doors from '../../../src/cli/context.js';
import { printJson } from '../../../src/cli/subcommands.js';

class Collector extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk.toString();
    done();
  }
}

function contextOf(isTerminal: boolean) {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const context = { stdout, stderr, isTerminal: { stdout: isTerminal, stderr: isTerminal, columns: 80 } };
  return { context: context as unknown as doors.Context, stdout, stderr };
}

const evil = 'a\x1b[2J\x9bb\nc\r';

describe('what is told', () => {
  it('is one line, whatever names hold', () => {
    const { context, stderr } = contextOf(true);
    doors.say(context, evil);
    doors.warningsTo(context).onWarning!({ message: evil } as never);
    const shown = 'a\ufffd[2J\ufffdb\ufffdc\ufffd\n';
    expect(stderr.text).toBe(`${shown}\r\x1b[K${shown}`);
  });

  it('has lines where they are meant', () => {
    const { context, stderr } = contextOf(true);
    doors.sayLines(context, evil);
    expect(stderr.text).toBe('a\ufffd[2J\ufffdb\nc\ufffd\n');
  });

  it('is the same as JSON', () => {
    const { context, stdout, stderr } = contextOf(true);
    doors.sayJson(context, { evil });
    printJson(context, { evil });
    for (const { text } of [stdout, stderr]) {
      expect(text.slice(0, -1)).not.toMatch(/\p{Cc}/u);
      expect(JSON.parse(text)).toEqual({ evil });
    }
  });

  it('is a path as it is for programs, and as it may be shown for people', () => {
    const [people, program] = [contextOf(true), contextOf(false)];
    for (const { context } of [people, program]) doors.printPath(context, evil);
    expect(people.stdout.text).toBe('a\ufffd[2J\ufffdb\ufffdc\ufffd\n');
    expect(program.stdout.text).toBe(`${evil}\n`);
  });

  it('goes through these doors alone', () => {
    const folder = new URL('../../../src/cli/', import.meta.url);
    // The bar of progress, and what is told before there is a context.
    const others = readdirSync(folder).filter(
      (name) => !['context.ts', 'progress.ts', 'main.ts', 'old-node.ts'].includes(name),
    );
    expect(others.length).toBeGreaterThan(30);
    for (const name of others) {
      const text = readFileSync(new URL(name, folder), 'utf8');
      expect(text, name).not.toMatch(/stderr\.write|console\./);
      expect(text, name).not.toMatch(/stdout\.write\([^;]*JSON\.stringify/);
    }
  });
});
