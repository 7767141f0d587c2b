import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { isRetryable } from '../../../src/engine/core/retry-policy.ts';
import { describeEmail } from '../../../src/tasks/email/delivery.ts';
import { emailTasks } from '../../../src/tasks/email/email-tasks.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { createTestEnvironment, runTask } from '../task-context.ts';

const to = 'ada@example.com';
const link = 'https://shop.example/confirm?token=abc&user=1';

describe('without SMTP_URL', () => {
  it('writes mail to files whose names sort by time', () =>
    withTempDir(async (cwd) => {
      let at = Date.UTC(2026, 2, 1, 9, 30);
      const task = emailTasks({}, createTestEnvironment(cwd, { now: () => at }))['email.send'];
      const first = await runTask(task, { to, bcc: 'bcc@example.com', subject: 'One', text: 'Hi' });
      at += 1;
      await runTask(task, { to, subject: 'Two', text: 'Hi' });
      const files = (await readdir(join(cwd, '.tq/outbox'))).toSorted();
      expect(files).toEqual([
        expect.stringMatching(/^2026-03-01T09-30-00\.000Z-[0-9a-f]{8}\.eml$/),
        expect.stringMatching(/^2026-03-01T09-30-00\.001Z-[0-9a-f]{8}\.eml$/),
      ]);
      expect(first).toEqual({
        messageId: expect.stringMatching(/^<.+@localhost>$/),
        accepted: [to, 'bcc@example.com'],
        rejected: [],
        outbox: join(cwd, '.tq/outbox', files[0] ?? ''),
      });
      const raw = await readFile(first.outbox ?? '', 'utf8');
      expect(raw).not.toMatch(/[^\r]\n/);
      expect(await PostalMime.parse(raw)).toMatchObject({
        subject: 'One',
        text: 'Hi\n',
        from: { address: 'tq@localhost' },
        bcc: [{ address: 'bcc@example.com' }],
        date: '2026-03-01T09:30:00.000Z',
      });
    }));

  it('is refused in production, and not retried', async () => {
    const task = emailTasks({}, createTestEnvironment('/nowhere', { production: true }))['email.send'];
    const error = await runTask(task, { to, subject: 'One', text: 'Hi' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'EMAIL_REFUSED',
      message: `sending e-mail to ${to}: e-mail is not set up: NODE_ENV=production and no SMTP_URL`,
    });
    expect(isRetryable(error, task.retry)).toBe(false);
  });

  it('passes on a file error that can pass, and refuses one that lasts', () =>
    withTempDir(async (cwd) => {
      await writeFile(join(cwd, 'taken'), '');
      const task = emailTasks({ outbox: 'taken' }, createTestEnvironment(cwd))['email.send'];
      await expect(runTask(task, { to, subject: 'One', text: 'Hi' })).rejects.toMatchObject({ code: 'FILE_REFUSED' });
    }));
});

describe('e-mails from templates', () => {
  const send = async (
    cwd: string,
    run: (tasks: ReturnType<typeof emailTasks>) => Promise<{ outbox: string | null }>,
  ) => {
    const tasks = emailTasks(
      { templates: 'templates' },
      createTestEnvironment(cwd, { emailFrom: 'Shop <shop@b.example>' }),
    );
    await mkdir(join(cwd, 'templates'), { recursive: true });
    return PostalMime.parse(await readFile((await run(tasks)).outbox ?? ''));
  };

  it('are sent by email.verification, email.password-reset and email.welcome', () =>
    withTempDir(async (cwd) => {
      const subjects = { 'email.verification': /Confirm/, 'email.password-reset': /Reset/, 'email.welcome': /to Shop/ };
      for (const [name, subject] of Object.entries(subjects)) {
        const sent = await send(cwd, (tasks) =>
          runTask(tasks[name as keyof typeof subjects], { to, name: '<b>Ada</b>', product: 'Shop', url: link }),
        );
        expect(sent.subject).toMatch(subject);
        expect(sent.from).toEqual({ name: 'Shop', address: 'shop@b.example' });
        expect(sent.text).toContain(link);
        expect(sent.html).toContain('href="https://shop.example/confirm?token=abc&amp;user=1"');
        expect(sent.html).toContain('&lt;b&gt;Ada&lt;/b&gt;');
        expect(sent.html).not.toContain('<b>Ada');
      }
    }));

  it('can be of the app, with values and a subject of the call', () =>
    withTempDir(async (cwd) => {
      await mkdir(join(cwd, 'templates'));
      await writeFile(join(cwd, 'templates/welcome.txt'), 'Bonjour {{name}}, {{coupon}}');
      const sent = await send(cwd, (tasks) =>
        runTask(tasks['email.welcome'], {
          to,
          name: 'Ada',
          url: link,
          subject: 'Salut',
          context: { coupon: 7, name: 'x' },
        }),
      );
      expect(sent).toMatchObject({ subject: 'Salut', text: 'Bonjour Ada, 7\n' });
      expect(sent.html).toBeUndefined();
    }));

  it('are refused for a missing value, an unknown name, and a line break that a value brings into the subject', () =>
    withTempDir(async (cwd) => {
      const task = emailTasks({}, createTestEnvironment(cwd))['email.send'];
      const refused = (reason: string) => ({ code: 'EMAIL_REFUSED', message: expect.stringContaining(reason) });
      await expect(runTask(task, { to, template: 'welcome' })).rejects.toMatchObject(
        refused('template "welcome": it needs the value "url"'),
      );
      await expect(runTask(task, { to, template: '../x' })).rejects.toMatchObject(refused('its name must be letters'));
      const injected = { url: link, product: 'x\r\nBcc: eve@example.com' };
      await expect(runTask(task, { to, template: 'welcome', context: injected })).rejects.toMatchObject(
        refused('the subject holds a line break'),
      );
      const script = { url: 'javascript:alert(1)' };
      await expect(runTask(task, { to, template: 'welcome', context: script })).rejects.toMatchObject(
        refused('must be a link that starts with https://'),
      );
    }));

  it('are refused at the call when the link of a letter is none', async () => {
    const task = emailTasks({}, createTestEnvironment('/nowhere'))['email.verification'];
    await expect(runTask(task, { to, url: 'javascript:alert(1)' })).rejects.toThrow('url must be a link');
    await expect(runTask(task, { to } as never)).rejects.toThrow('url is missing');
  });
});

describe('describeEmail', () => {
  it.each([
    [{ smtpUrl: 'smtp://mail.example:587' }, 'e-mail: smtp://mail.example:587'],
    [{ smtpUrl: 'smtps://token:secret@mail.example?pass=secret' }, 'e-mail: smtps://mail.example'],
    [{ smtpUrl: 'smtp://mail.example', production: true }, 'e-mail: smtp://mail.example'],
    [{}, 'e-mail: written to .tq/outbox (no SMTP_URL)'],
    [{ smtpUrl: '  ' }, 'e-mail: written to .tq/outbox (no SMTP_URL)'],
    [{ production: true }, 'e-mail: refused (NODE_ENV=production and no SMTP_URL)'],
  ])('of %j is "%s"', (changes, line) => {
    expect(describeEmail({}, createTestEnvironment('/work', changes))).toBe(line);
  });

  it('names the outbox of the options', () => {
    const line = describeEmail({ email: { outbox: 'mail' } }, createTestEnvironment('/work'));
    expect(line).toBe('e-mail: written to mail (no SMTP_URL)');
  });

  it.each(['mail.example:587', 'http://mail.example', 'smtp://', 'smtp://u:p#w@h'])(
    'says of the SMTP_URL %s that it cannot be used, without showing it',
    (smtpUrl) => {
      const line = describeEmail({}, createTestEnvironment('/work', { smtpUrl }));
      expect(line).toMatch(/^e-mail: refused \(SMTP_URL is not smtp:/);
      expect(line).not.toContain(smtpUrl.slice(7) || 'nothing');
    },
  );
});
