import { createHmac } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterEach, describe, expect, test } from 'vitest';
import type { AlertNotice } from '../../../src/engine/core/alert-notice.ts';
import { type AlertRuleOptions, parseAlerts } from '../../../src/engine/core/alert-rule.ts';
import { isRetryable } from '../../../src/engine/core/retry-policy.ts';
import { alertTask } from '../../../src/tasks/alerts/alert-task.ts';
import { createPayload } from '../../../src/tasks/alerts/payload.ts';
import { postAlert } from '../../../src/tasks/alerts/webhook.ts';
import { findFreePort } from '../../support/free-port.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { createTestEnvironment, runTask } from '../task-context.ts';
import { type Answer, type Posted, startWebhookServer, type WebhookServer } from './webhook-server.ts';

const servers: WebhookServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function start(answer?: (posted: Posted) => Answer | undefined): Promise<WebhookServer> {
  const server = await startWebhookServer(answer);
  servers.push(server);
  return server;
}

function createNotice(fields: Partial<AlertNotice> = {}): AlertNotice {
  return {
    id: 'w1',
    rule: 'mail',
    via: 'webhook',
    count: 10,
    threshold: 10,
    windowMs: 300_000,
    firstAt: Date.UTC(2026, 2, 1, 9, 30),
    lastAt: Date.UTC(2026, 2, 1, 9, 31),
    queue: 'high',
    task: null,
    fingerprint: 'a1b2c3d4',
    sample: {
      id: 'job-1',
      task: 'email.send',
      queue: 'high',
      fingerprint: 'a1b2c3d4',
      error: { name: 'TypeError', message: 'no host\u0007', code: 'ENOHOST' },
      worker: 'tq@host',
    },
    ...fields,
  };
}

function createTask(rule: AlertRuleOptions, cwd = '/nowhere') {
  const { rules, mistakes } = parseAlerts([{ name: 'mail', ...rule }]);
  expect(mistakes).toEqual([]);
  return alertTask(rules, {}, createTestEnvironment(cwd, { now: () => 0 }));
}

describe('a webhook', () => {
  test('is posted what happened and what to type next', async () => {
    const server = await start();
    const task = createTask({ webhook: `${server.url}/hooks/T0K3N` });
    expect(await runTask(task, createNotice())).toEqual({ delivered: 204 });
    const { method, path, headers, body } = await server.posted.next();
    expect([method, path, headers['content-type']]).toEqual(['POST', '/hooks/T0K3N', 'application/json']);
    expect(headers['x-tq-signature']).toBeUndefined();
    expect(JSON.parse(body)).toEqual({
      id: 'w1',
      text: 'tq: 10 dead letters of queue high, fingerprint a1b2c3d4 within 5m (alert "mail"). Last: email.send: TypeError: no host\\x07',
      rule: 'mail',
      count: 10,
      threshold: 10,
      window: '5m',
      windowMs: 300_000,
      first: '2026-03-01T09:30:00.000Z',
      last: '2026-03-01T09:31:00.000Z',
      queue: 'high',
      task: null,
      fingerprint: 'a1b2c3d4',
      error: { name: 'TypeError', message: 'no host\u0007', code: 'ENOHOST' },
      sample: { id: 'job-1', task: 'email.send', queue: 'high', fingerprint: 'a1b2c3d4', worker: 'tq@host' },
      commands: [
        "tq dlq stats --where 'queue:high fingerprint:a1b2c3d4'",
        "tq dlq list --where 'queue:high fingerprint:a1b2c3d4'",
        'tq dlq show job-1',
      ],
    });
  });

  test('can tell by the signature that a worker with the secret has sent it', async () => {
    const server = await start();
    await runTask(createTask({ webhook: server.url, secret: 'correct horse' }), createNotice());
    const { headers, body } = await server.posted.next();
    const expected = createHmac('sha256', 'correct horse').update(body).digest('hex');
    expect(headers['x-tq-signature']).toBe(`sha256=${expected}`);
  });

  test.each([
    [500, 'ALERT_FAILED', true],
    [503, 'ALERT_FAILED', true],
    [429, 'ALERT_FAILED', true],
    [408, 'ALERT_FAILED', true],
    [400, 'ALERT_REFUSED', false],
    [404, 'ALERT_REFUSED', false],
  ])('that answers %i fails the job as %s, and a retry of it is %s', async (status, code, again) => {
    const server = await start(() => ({ status }));
    const task = createTask({ webhook: `${server.url}/T0K3N`, secret: 'S3CR3T of it' });
    const error = await runTask(task, createNotice()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code,
      message: `sending the alert "mail" by webhook: ${server.host} answered ${status}`,
    });
    expect(isRetryable(error, task.retry)).toBe(again);
  });

  test('that is not there is tried again, and its URL is not told', async () => {
    const port = await findFreePort();
    const task = createTask({ webhook: `http://127.0.0.1:${port}/T0K3N` });
    const error = (await runTask(task, createNotice()).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({
      code: 'ALERT_FAILED',
      message: expect.stringContaining('cannot be reached: ECONNREFUSED'),
    });
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('T0K3N');
  });

  test('that does not answer is given up', async () => {
    const server = await start(() => undefined);
    const place = { url: server.url, secret: null, rule: 'mail', signal: undefined, timeoutMs: 50 };
    await expect(postAlert(createPayload(createNotice(), undefined), place)).rejects.toMatchObject({
      code: 'ALERT_FAILED',
      message: expect.stringContaining('did not answer within 50 ms'),
    });
  });

  test('is not waited for when the job is aborted', async () => {
    const stop = new AbortController();
    const server = await start(() => {
      stop.abort(new Error('the worker stops'));
      return undefined;
    });
    const run = runTask(createTask({ webhook: server.url }), createNotice(), { signal: stop.signal });
    await expect(run).rejects.toThrow('the worker stops');
  });

  test('may send the alert to another path of itself', async () => {
    const server = await start(({ path }) =>
      path === '/new' ? { status: 200 } : { status: 308, headers: { location: '/new' } },
    );
    await runTask(createTask({ webhook: `${server.url}/old` }), createNotice());
    const [first, second] = [await server.posted.next(), await server.posted.next()];
    expect([first.path, second.path]).toEqual(['/old', '/new']);
    expect(second.body).toBe(first.body);
  });

  test.each([
    ['to another host', 307, (other: string) => `${other}/T0K3N`],
    ['that would drop the body', 302, () => '/new'],
    ['that never ends', 307, () => '/again'],
    ['to nowhere', 307, () => 'http://'],
  ])('a redirect %s is not followed', async (_, status, locate) => {
    const other = await start();
    const server = await start(() => ({ status, headers: { location: locate(other.url) } }));
    await expect(runTask(createTask({ webhook: server.url }), createNotice())).rejects.toMatchObject({
      code: 'ALERT_REFUSED',
      message: expect.stringContaining(`answered ${status}, a redirect that is not followed`),
    });
    expect(other.posted.all).toEqual([]);
  });
});

test('an e-mail goes to everybody of the rule by the transport of the e-mail tasks', () =>
  withTempDir(async (cwd) => {
    const task = createTask({ email: ['ada@example.com', 'On Call <call@example.com>'] }, cwd);
    const result = await runTask(task, createNotice({ via: 'email' }));
    const folder = join(cwd, '.tq/outbox');
    const [file = ''] = await readdir(folder);
    const mail = await PostalMime.parse(await readFile(join(folder, file), 'utf8'));
    expect(mail.messageId).toBe(result.delivered);
    expect(mail.to?.map(({ address }) => address)).toEqual(['ada@example.com', 'call@example.com']);
    expect(mail.subject).toBe('tq: 10 dead letters of queue high, fingerprint a1b2c3d4 within 5m (alert "mail").');
    expect(mail.text).toContain("tq dlq list --where 'queue:high fingerprint:a1b2c3d4'");
    expect(mail.text).toContain('TypeError [ENOHOST]: no host');
  }));

test.each<[string, Partial<AlertNotice>]>([
  ['of this name', { rule: 'another' }],
  ['with such a place', { via: 'email' }],
])('an alert is tried again where its worker has no rule %s: another one may', async (_, fields) => {
  const task = createTask({ webhook: 'https://chat.example/x' });
  const error = await runTask(task, createNotice(fields)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'ALERT_FAILED', message: expect.stringContaining('has no such rule') });
  expect(isRetryable(error, task.retry)).toBe(true);
});

test.each<[AlertRuleOptions, Partial<AlertNotice>, string]>([
  [{}, { queue: null, fingerprint: null }, 'tq dlq list'],
  [{ task: 'email.*' }, { queue: null, fingerprint: null }, "tq dlq list --where 'task:email.*'"],
  [
    { queue: ['a', 'b'], task: 'x' },
    { queue: null, task: 'x', fingerprint: null },
    "tq dlq list --where '(queue:a OR queue:b) task:x'",
  ],
  [{}, { queue: `it's "odd"`, fingerprint: null }, `tq dlq list --where 'queue:"it'\\''s \\"odd\\""'`],
])('the commands look at what the rule %j has counted', (rule, fields, command) => {
  const { rules } = parseAlerts([{ webhook: 'https://chat.example/x', ...rule }]);
  expect(createPayload(createNotice(fields), rules[0]).commands).toContain(command);
});
