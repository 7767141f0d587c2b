import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EmailInput } from '../../../src/tasks/email/email-input.ts';
import { emailTasks } from '../../../src/tasks/email/email-tasks.ts';
import { composeMessage } from '../../../src/tasks/email/message.ts';
import { createTestEnvironment, InputFault, runTask } from '../task-context.ts';

const mail: EmailInput = { to: 'ada@example.com', subject: 'Hello', text: 'Hi' };
const settings = {
  from: 'tq@sender.example',
  templates: undefined,
  attachments: { root: '/nowhere', limit: 100 },
};
const compose = (changes: Partial<EmailInput>, own = settings) =>
  composeMessage({ ...mail, ...changes }, own, { jobId: 'job', at: 0 });
const refused = (reason: string) =>
  expect.objectContaining({ code: 'EMAIL_REFUSED', message: expect.stringContaining(reason) });

describe('header injection', () => {
  const injection = 'x\r\nBcc: eve@example.com';

  it.each<[string, Partial<EmailInput>, string]>([
    ['the subject', { subject: injection }, 'the subject holds'],
    ['a bare line feed', { subject: 'x\nBcc: eve@example.com' }, 'the subject holds'],
    ['a bare carriage return', { subject: 'x\rBcc: eve@example.com' }, 'the subject holds'],
    ['a next-line character', { subject: 'x\u0085Bcc: eve@example.com' }, 'the subject holds'],
    ['a line separator', { subject: 'x\u2028Bcc: eve@example.com' }, 'the subject holds'],
    ['a NUL', { subject: 'x\0' }, 'the subject holds'],
    ['the value of a header', { headers: { 'X-A': injection } }, 'the header "X-A" holds'],
    ['the name of a header', { headers: { 'X-A\r\nBcc': 'eve@example.com' } }, 'is not a header name'],
    ['a header name with a colon', { headers: { 'Bcc: x': 'y' } }, 'is not a header name'],
    ['a Bcc header', { headers: { bCC: 'eve@example.com' } }, 'set by the fields'],
    ['a Content-Type header', { headers: { 'content-type': 'text/html' } }, 'set by the fields'],
    ['the name of a recipient', { to: { name: injection, address: 'a@b.example' } }, 'the name in to holds'],
    ['the name in a text', { to: `${injection} <a@b.example>` }, 'the name in to holds'],
    ['the address of a recipient', { to: 'a@b.example\r\nBcc: eve@example.com' }, 'the address in to holds'],
    ['a copy', { cc: [{ address: 'a@b.example\r\nRCPT TO:<eve@example.com>' }] }, 'the address in cc holds'],
    ['the sender', { from: { name: injection, address: 'a@b.example' } }, 'the name in from holds'],
    ['the reply address', { replyTo: { name: injection, address: 'a@b.example' } }, 'the name in replyTo holds'],
  ])('through %s is refused', async (_, changes, reason) => {
    await expect(compose(changes)).rejects.toEqual(refused(reason));
  });

  it('is refused as EMAIL_REFUSED by the task itself, without control characters in the error', async () => {
    const task = emailTasks({}, createTestEnvironment('/nowhere'))['email.send'];
    const sent = runTask(task, { to: 'a@b.example\r\nX: y', subject: 'Hi', text: 'Hi' });
    await expect(sent).rejects.toMatchObject({ code: 'EMAIL_REFUSED', message: expect.not.stringMatching(/[\r\n]/) });
  });
});

describe('addresses', () => {
  it.each<[EmailInput['to'], string, string]>([
    ['ada@example.com', '', 'ada@example.com'],
    ['  ada@example.com ', '', 'ada@example.com'],
    ['<ada@example.com>', '', 'ada@example.com'],
    ['Ada Lovelace <ada@example.com>', 'Ada Lovelace', 'ada@example.com'],
    ['"Lovelace, \\"Ada\\"" <ada@example.com>', 'Lovelace, "Ada"', 'ada@example.com'],
    ["o'brien+tag@localhost", '', "o'brien+tag@localhost"],
    ['jürgen@müller.example', '', 'jürgen@müller.example'],
  ])('reads %j', async (to, name, address) => {
    expect((await compose({ to })).to).toEqual([{ name, address }]);
  });

  it.each([
    'a@b.example, eve@example.com',
    'a@b.example; eve@example.com',
    'a@b.example eve@example.com',
    'group: a@b.example;',
    '"eve@example.com, x" <a@b@c.example>',
    'a@',
    '@b.example',
    '<a@b.example> <c@d.example>x',
    `${'a'.repeat(65)}@b.example`,
    `a@${'b'.repeat(255)}`,
  ])('refuses %j', async (to) => {
    await expect(compose({ to })).rejects.toEqual(refused('is not an e-mail address'));
  });

  it('always keep one text one recipient, whatever it is made of', async () => {
    const pieces = fc.constantFrom(
      'a@b.example',
      'Ada',
      ' ',
      ',',
      ';',
      ':',
      '<',
      '>',
      '"',
      '\\',
      '(',
      ')',
      '\r\n',
      '@',
    );
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 6 }), async (parts) => {
        const composed = await compose({ to: parts.join('') }).catch(() => undefined);
        accepted += composed?.to.length ?? 0;
        for (const { address } of composed?.to ?? []) expect(address).toMatch(/^[^\s@,;:<>"\\()]+@[^\s@,;:<>"\\()]+$/);
        expect(composed?.to.length ?? 1).toBe(1);
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('are told in the error, at most three of them', async () => {
    const to = ['a@b.example', 'c@d.example', 'e@f.example', 'g@h.example'];
    await expect(compose({ to, subject: '\n' })).rejects.toThrow(
      'to a@b.example, c@d.example, e@f.example and 1 more:',
    );
  });
});

describe('a message', () => {
  it('needs a sender', async () => {
    await expect(composeMessage(mail, { ...settings, from: undefined }, { jobId: 'job', at: 0 })).rejects.toEqual(
      refused('it has no sender'),
    );
  });

  it('takes the sender of the e-mail before that of the app', async () => {
    expect((await compose({})).from.address).toBe('tq@sender.example');
    expect((await compose({ from: 'me@own.example' })).from.address).toBe('me@own.example');
  });
});

describe('the input of email.send', () => {
  const task = emailTasks({}, createTestEnvironment('/nowhere'))['email.send'];
  const to = 'a@b.example';

  it.each<[unknown, string]>([
    [{ subject: 'x', text: 'x' }, 'to is missing'],
    [{ to, subject: 'x', text: 'x', tetx: 'x' }, 'tetx is not known here'],
    [{ to: 'nobody', subject: 'x', text: 'x' }, 'to must be an e-mail address'],
    [{ to: [], subject: 'x', text: 'x' }, 'to must name at least one address'],
    [{ to, text: 'x' }, 'needs a subject'],
    [{ to, subject: 'x' }, 'needs a text, an html or a template'],
    [{ to, subject: 'x', text: 'x', template: 'welcome' }, 'either a template or text and html'],
    [{ to, subject: 'x', text: 'x', context: {} }, 'no template to fill'],
    [{ to, template: 'welcome', context: { url: {} } }, 'context.url must be a text, a number or a boolean'],
    [{ to, subject: 'x', text: 'x', attachments: [{ filename: 'a' }] }, 'attachments.0 must be { path }'],
    [{ to, subject: 'x', text: 'x', attachments: [{ path: 'a', content: 'b', filename: 'c' }] }, 'attachments.0'],
    [{ to, subject: 'x', text: 'x', headers: { a: 1 } }, 'headers.a must be a text'],
    ['x', 'must be an object'],
  ])('refuses %j at the call', async (input, message) => {
    const sent = runTask(task, input as EmailInput);
    await expect(sent).rejects.toBeInstanceOf(InputFault);
    await expect(sent).rejects.toThrow(message);
  });
});
