import { createHmac } from 'node:crypto';
import { createError, messageOf, type TqError } from '../../engine/core/errors.ts';
import { escapeControl } from '../../engine/core/escape.ts';
import type { AlertPayload } from './payload.ts';

const TIMEOUT_MS = 10_000;
const MOST_REDIRECTS = 3;
/** Answers that say to try again: a timeout, too early, too many requests. Every 5xx does as well. */
const PASSING = new Set([408, 425, 429]);

interface Place {
  readonly url: string;
  /** Signs the body. */
  readonly secret: string | null;
  /** Its name, for errors. Neither they nor logs say more of the URL than its host. */
  readonly rule: string;
  /** Of the job. */
  readonly signal: AbortSignal | undefined;
  /** How long an answer may take. Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * Posts an alert as JSON. With a secret, `x-tq-signature` is `sha256=` and the HMAC of the body in hex, as GitHub signs its webhooks.
 * A redirect is followed to the same host alone (307 and 308, which repeat the request; with the same port, or from http to https): another one is not whom the
 * configuration trusts.
 *
 * @returns the status of the answer, 200 to 299
 * @throws ALERT_FAILED when a retry may help, ALERT_REFUSED when the same would be refused again
 */
export async function postAlert(payload: AlertPayload, { url, secret, rule, signal, timeoutMs = TIMEOUT_MS }: Place) {
  const body = JSON.stringify(payload);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'tq',
    ...(secret !== null && { 'x-tq-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` }),
  };
  const own = new URL(url);
  const fail = (code: 'ALERT_FAILED' | 'ALERT_REFUSED', why: string): TqError =>
    createError(code, { rule, via: 'webhook', reason: `${own.host} ${escapeControl(why)}` });
  const timeout = AbortSignal.timeout(timeoutMs);
  let target = own;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await fetch(target, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw fail('ALERT_FAILED', timeout.aborted ? `did not answer within ${timeoutMs} ms` : reasonOf(error));
    });
    // Nobody reads it; left alone, it would hold the connection.
    await answer.body?.cancel().catch(() => undefined);
    const { status } = answer;
    if (answer.ok) return status;
    if (status < 300 || status >= 400) {
      const code = status >= 500 || PASSING.has(status) ? 'ALERT_FAILED' : 'ALERT_REFUSED';
      throw fail(code, `answered ${status}`);
    }
    const next = followOn(answer, target);
    if (next === undefined || redirects >= MOST_REDIRECTS) {
      throw fail('ALERT_REFUSED', `answered ${status}, a redirect that is not followed`);
    }
    target = next;
  }
}

function followOn({ status, headers }: Response, from: URL): URL | undefined {
  const location = headers.get('location') ?? '';
  if ((status !== 307 && status !== 308) || !URL.canParse(location, from.href)) return undefined;
  const next = new URL(location, from);
  const isSame = next.protocol === from.protocol && next.host === from.host;
  const isSafer = from.protocol === 'http:' && next.protocol === 'https:' && next.hostname === from.hostname;
  return isSame || isSafer ? next : undefined;
}

/** What failed stands in the cause; the error itself says `fetch failed`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = (cause as { code?: unknown } | null)?.code;
  return `cannot be reached: ${typeof code === 'string' ? code : messageOf(cause)}`;
}
