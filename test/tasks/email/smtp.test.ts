import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRetryable } from '../../../src/engine/core/retry-policy.ts';
import { emailTasks } from '../../../src/tasks/email/email-tasks.ts';
import { findFreePort } from '../../support/free-port.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { createTestEnvironment, type RunOptions, runTask } from '../task-context.ts';
import { withMailServer } from './mail-server.ts';

const mail = { from: 'tq@sender.example', to: 'ada@example.com', subject: 'Hello', text: 'Hi' };

const tasksFor = (smtpUrl: string, options = {}, cwd = '/nowhere') =>
  emailTasks(options, createTestEnvironment(cwd, { smtpUrl }));

type Mail = Parameters<
  typeof runTask<NonNullable<ReturnType<typeof emailTasks>['email.send']['types']>['args'][0], unknown>
>[1];

/** Sends it and gives the error, and whether the task would be retried after it. */
async function fail(
  smtpUrl: string,
  input: Mail = mail,
  run: RunOptions = {},
): Promise<{ error: unknown; retried: boolean }> {
  const task = tasksFor(smtpUrl)['email.send'];
  const error = await runTask(task, input, run).then(
    () => expect.unreachable('the e-mail was sent'),
    (thrown: unknown) => thrown,
  );
  return { error, retried: isRetryable(error, task.retry) };
}

describe('email.send by SMTP', () => {
  it('delivers text and HTML, with names, copies, reply-to, headers and attachments', () =>
    withTempDir((cwd) =>
      withMailServer({}, async ({ url, mails }) => {
        await mkdir(join(cwd, 'papers'));
        await writeFile(join(cwd, 'papers', 'bill.pdf'), '%PDF-1.7');
        const result = await runTask(tasksFor(url, { attachmentsRoot: 'papers' }, cwd)['email.send'], {
          from: { name: 'Täsk, Queue', address: 'tq@sender.example' },
          to: ['Ada Lovelace <ada@example.com>', { name: 'Bob', address: 'bob@example.com' }],
          cc: 'cc@example.com',
          bcc: 'bcc@example.com',
          replyTo: 'Help <help@example.com>',
          subject: 'Grüße',
          text: 'Hi',
          html: '<p>Hi <img src="cid:logo"></p>',
          headers: { 'X-Campaign': 'spring' },
          attachments: [
            { path: 'bill.pdf', filename: 'Rechnung.pdf' },
            { content: 'a,b', filename: 'a.csv', contentType: 'text/csv; charset=utf-8' },
            { content: 'iVBORw0KGgo=', encoding: 'base64', filename: 'logo.png', cid: 'logo' },
          ],
        });
        const [arrived] = mails;
        expect(result).toEqual({
          messageId: arrived?.parsed.messageId,
          accepted: ['ada@example.com', 'bob@example.com', 'cc@example.com', 'bcc@example.com'],
          rejected: [],
          outbox: null,
        });
        expect(arrived).toMatchObject({ from: 'tq@sender.example', to: result.accepted });
        expect(arrived?.raw).not.toContain('bcc@');
        expect(arrived?.parsed).toMatchObject({
          from: { name: 'Täsk, Queue', address: 'tq@sender.example' },
          to: [
            { name: 'Ada Lovelace', address: 'ada@example.com' },
            { name: 'Bob', address: 'bob@example.com' },
          ],
          replyTo: [{ name: 'Help', address: 'help@example.com' }],
          subject: 'Grüße',
          text: 'Hi\n',
        });
        expect(arrived?.parsed.headers).toContainEqual(expect.objectContaining({ key: 'x-campaign', value: 'spring' }));
        const attachments = arrived?.parsed.attachments.map((one) => [
          one.filename,
          one.mimeType,
          Buffer.from(one.content as ArrayBuffer).toString('latin1'),
        ]);
        expect(attachments?.toSorted()).toEqual([
          ['Rechnung.pdf', 'application/pdf', '%PDF-1.7'],
          ['a.csv', 'text/csv', 'a,b'],
          ['logo.png', 'image/png', '\x89PNG\r\n\x1a\n'],
        ]);
      }),
    ));

  it('signs in with the credentials of the URL', () =>
    withMailServer({ login: { user: 'me', password: 'p@ss' } }, async ({ url, mails }) => {
      await runTask(tasksFor(url.replace('//', '//me:p%40ss@'))['email.send'], mail);
      expect(mails).toHaveLength(1);
    }));

  it('gives a repeated attempt the same Message-ID, and another e-mail of the same job another', () =>
    withMailServer({}, async ({ url }) => {
      const task = tasksFor(url)['email.send'];
      const first = await runTask(task, mail);
      expect((await runTask(task, mail)).messageId).toBe(first.messageId);
      expect((await runTask(task, { ...mail, to: 'bob@example.com' })).messageId).not.toBe(first.messageId);
      expect((await runTask(task, mail, { id: 'other' })).messageId).not.toBe(first.messageId);
      expect(first.messageId).toMatch(/^<[0-9a-f]{32}@sender\.example>$/);
    }));

  it('can be called as a plain function outside a worker', () =>
    withMailServer({}, async ({ url, mails }) => {
      const handler = tasksFor(url)['email.send'].handler as (input: unknown) => Promise<unknown>;
      await handler(mail);
      expect(mails[0]?.to).toEqual(['ada@example.com']);
    }));

  it('lists the recipients that were refused when others were not, and does not fail', () =>
    withMailServer({ rcpt: (to) => (to.startsWith('bob') ? 550 : undefined) }, async ({ url, mails }) => {
      const result = await runTask(tasksFor(url)['email.send'], {
        ...mail,
        to: ['ada@example.com', 'bob@example.com'],
      });
      expect(result).toMatchObject({ accepted: ['ada@example.com'], rejected: ['bob@example.com'] });
      expect(mails[0]?.to).toEqual(['ada@example.com']);
    }));

  it('does not retry when every recipient is refused for good', () =>
    withMailServer({ rcpt: () => 550 }, async ({ url }) => {
      const { error, retried } = await fail(url);
      expect(error).toMatchObject({ code: 'EMAIL_REFUSED', message: expect.stringContaining('refused with 550') });
      expect(retried).toBe(false);
    }));

  it('retries when a recipient is refused for now, also beside one refused for good', () =>
    withMailServer({ rcpt: (to) => (to.startsWith('bob') ? 451 : 550) }, async ({ url }) => {
      const greylisted = await fail(url, { ...mail, to: 'bob@example.com' });
      expect(greylisted).toMatchObject({ error: { code: 'EMAIL_FAILED' }, retried: true });
      expect(await fail(url, { ...mail, to: ['ada@example.com', 'bob@example.com'] })).toMatchObject({ retried: true });
    }));

  it.each([
    [554, false],
    [552, false],
    [451, true],
    [421, true],
  ])('after the reply %d to the message, retrying is %s', (code, retried) =>
    withMailServer({ data: () => code }, async ({ url }) => {
      expect(await fail(url)).toMatchObject({ error: { code: retried ? 'EMAIL_FAILED' : 'EMAIL_REFUSED' }, retried });
    }),
  );

  it('does not retry a refused login, and keeps the password out of the error', () =>
    withMailServer({ login: { user: 'me', password: 'right' } }, async ({ url }) => {
      const { error, retried } = await fail(url.replace('//', '//me:wrong-secret@'));
      expect(error).toMatchObject({ code: 'EMAIL_REFUSED', message: expect.stringContaining('535') });
      expect(retried).toBe(false);
      expect((error as Error).message).not.toContain('secret');
    }));

  it('retries when nobody listens, and names the server', async () => {
    const port = await findFreePort();
    const { error, retried } = await fail(`smtp://user:secret@127.0.0.1:${port}`);
    expect(error).toMatchObject({ code: 'EMAIL_FAILED', message: expect.stringContaining(`smtp://127.0.0.1:${port}`) });
    expect((error as Error).message).not.toContain('secret');
    expect(retried).toBe(true);
  });

  it('stops waiting for a server when its job is aborted, with the reason of the abort', async () => {
    const abort = new AbortController();
    const silent = createServer(() => abort.abort(new Error('the worker stops')));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { error } = await fail(`smtp://127.0.0.1:${port}`, mail, { signal: abort.signal });
    expect(error).toEqual(new Error('the worker stops'));
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe('attachments', () => {
  it('come only from the allowed root', () =>
    withTempDir(async (cwd) => {
      await mkdir(join(cwd, '.tq/attachments'), { recursive: true });
      await writeFile(join(cwd, '.env'), 'SECRET=1');
      await symlink(join(cwd, '.env'), join(cwd, '.tq/attachments/link.txt'));
      const task = tasksFor('smtp://127.0.0.1:1', {}, cwd)['email.send'];
      for (const path of ['../../.env', join(cwd, '.env'), 'link.txt']) {
        const sent = runTask(task, { ...mail, attachments: [{ path }] });
        await expect(sent).rejects.toMatchObject({ code: 'FILE_REFUSED', message: expect.stringContaining('outside') });
      }
      await expect(runTask(task, { ...mail, attachments: [{ path: 'none.txt' }] })).rejects.toMatchObject({
        code: 'FILE_REFUSED',
      });
    }));

  it.each([
    [{ content: '!!', encoding: 'base64', filename: 'a' }, /not base64/],
    [{ content: 'abc', encoding: 'hex', filename: 'a' }, /not hex/],
    [{ content: 'x', filename: 'a\r\nBcc: x@y.example' }, /control character/],
    [{ content: 'x', filename: '../../etc/passwd' }, /plain file name/],
    [{ content: 'x', filename: 'a', contentType: 'text/html\r\nX: y' }, /not a MIME type/],
    [{ content: 'x', filename: 'a', cid: 'a>\r\nX: y' }, /content id/],
    [{ content: 'x'.repeat(11), filename: 'a' }, /limit of 10 bytes/],
  ] as const)('are refused when they are %j', async (attachment, reason) => {
    const task = tasksFor('smtp://127.0.0.1:1', { attachmentsLimit: 10 })['email.send'];
    const sent = runTask(task, { ...mail, attachments: [attachment] });
    await expect(sent).rejects.toMatchObject({ code: 'EMAIL_REFUSED', message: expect.stringMatching(reason) });
  });
});
