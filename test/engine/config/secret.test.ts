import { expect, test } from 'vitest';
import { maskSecrets } from '../../../src/engine/config/secret.ts';

test.each([
  ['redis://:hunter2@host:6379/0', 'redis://***@host:6379/0'],
  ['cannot reach rediss+sentinel://me:hunter2@a,b/m here', 'cannot reach rediss+sentinel://***@a,b/m here'],
  ['postgres://u:hun@ter/2 x@host/db', 'postgres://***@host/db'],
  ['https://me:hunter2@example.com/@scope/x', 'https://***@example.com/@scope/x'],
  ['postgres://host/db?user=u&password=hunter2&x=1', 'postgres://host/db?user=u&password=***&x=1'],
])('hides the password of %s', (text, masked) => {
  expect(maskSecrets(text)).toBe(masked);
});

test.each(['file:///app/node_modules/@scope/x.js', 'redis://host:6379/0', 'mail to a@b.c'])(
  'leaves %s alone',
  (text) => {
    expect(maskSecrets(text)).toBe(text);
  },
);
