import { expect, it } from 'vitest';
import { shownAddress, withoutLogin } from '../../../src/terminal/shown-address.js';

it.each([
  ['https://host/a/b.png', 'https://host/a/b.png'],
  ['https://host', 'https://host'],
  ['https://host/a@2x.png', 'https://host/a@2x.png'],
  ['https://me:secret@host/a/b.png', 'https://host/a/b.png'],
  ['redis://:p@sec/ret@queue:6379', 'redis://queue:6379'],
  ['https://me:p@secret?secret@host/x', 'https://host/x'],
  ['https://me:se@cr/secret@ho[st/x', 'https://ho[st/x'],
  ['https://secret@host:8080/a', 'https://host:8080/a'],
  ['https://host/a?X-Amz-Signature=secret#secret', 'https://host/a'],
  ['redis://:p@secret@queue:6379', 'redis://queue:6379'],
  ['redis://:sec/ret@queue:6379', 'redis://queue:6379'],
  ['redis://me:sec/ret@queue:6379/2', 'redis://queue:6379/2'],
  ['redis://me:12/secret@queue:6379', 'redis://queue:6379'],
  ['redis://queue:6379?password=secret', 'redis://queue:6379'],
  ['https://me:pa/secret@host/x', 'https://host/x'],
  ['https://me:pa?secret@host/x', 'https://host/x'],
  ['https://me:pa#secret@host/x?y=secret', 'https://host/x'],
  ['  https://me:secret@host/', 'https://host/'],
  ['https://me:secret@', 'https://'],
  ['me:secret@host/simple', 'host/simple'],
  ['mqtt://me:secret@broker', 'mqtt://broker'],
  ['s3://bucket/a?b#c@d.png', 's3://bucket/a?b#c@d.png'],
  ['s3://key:secret@bucket/a@b.png', 's3://bucket/a@b.png'],
  ['HTTPS://ME:SECRET@HOST/A', 'https://host/A'],
  ['nowhere', 'nowhere'],
  ['', ''],
  ['bad\x1b[2J://x\x9b@\x1b]0;t\x07', '\ufffd]0;t\ufffd'],
])('%j is shown as %j', (given, shown) => {
  const found = shownAddress(given);
  expect(found).toBe(shown);
  expect(found).not.toMatch(/secret/i);
});

it('takes no long time, whatever the text', () => {
  for (const piece of ['@', ':1/', '?', 'a://', ':', '@/', '@a', '/@?'])
    expect(shownAddress(`https://${piece.repeat(1_000_000)}`)).not.toContain('secret');
});

it.each([
  ['https://host/a?id=7', 'https://host/a?id=7'],
  ['https://me:secret@host/a?id=7', 'https://host/a?id=7'],
  ['https://host/a@2x.png', 'https://host/a@2x.png'],
  ['https://me:sec/ret@host/a?id=7', 'https://host/a'],
  ['parts/a@2x.png', 'parts/a@2x.png'],
  ['s3://bucket/a:1/b@c.png', 's3://bucket/a:1/b@c.png'],
])('%j without its login is %j', (given, left) => {
  expect(withoutLogin(given)).toBe(left);
});
