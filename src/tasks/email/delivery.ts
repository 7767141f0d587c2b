import { resolve } from 'node:path';
import type { BuiltinEnvironment, BuiltinOptions, EmailOptions } from '../builtin-options.ts';

/** Where e-mail goes: to a server, into files, or nowhere. `shown` is for people and holds no credentials. */
export type Delivery =
  | { readonly kind: 'smtp'; readonly url: string; readonly shown: string }
  | { readonly kind: 'outbox'; readonly folder: string; readonly shown: string }
  | { readonly kind: 'refused'; readonly shown: string };

/**
 * SMTP_URL decides. Without it mail is written to files, which nobody reads in production: there it is refused.
 * A URL that cannot be used refuses e-mail and nothing else, so a program that only calls other tasks still starts.
 */
export function chooseDelivery(options: EmailOptions, environment: BuiltinEnvironment): Delivery {
  const { smtpUrl = '' } = environment;
  if (smtpUrl.trim() !== '') return parseSmtpUrl(smtpUrl.trim());
  if (environment.production) return { kind: 'refused', shown: 'NODE_ENV=production and no SMTP_URL' };
  const folder = options.outbox ?? '.tq/outbox';
  return { kind: 'outbox', folder: resolve(environment.cwd, folder), shown: folder };
}

/** How e-mail is delivered, in one line for the banner of the worker: `e-mail: smtp://mail.example:587`. */
export function describeEmail(options: BuiltinOptions, environment: BuiltinEnvironment): string {
  const delivery = chooseDelivery(options.email ?? {}, environment);
  if (delivery.kind === 'smtp') return `e-mail: ${delivery.shown}`;
  if (delivery.kind === 'outbox') return `e-mail: written to ${delivery.shown} (no SMTP_URL)`;
  return `e-mail: refused (${delivery.shown})`;
}

/** The user name is left out of what is shown like the password: with some providers it is the token. */
function parseSmtpUrl(text: string): Delivery {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') {
    return {
      kind: 'refused',
      shown:
        'SMTP_URL is not smtp://USER:PASSWORD@HOST:PORT or smtps://...; special characters in it must be percent-encoded',
    };
  }
  return { kind: 'smtp', url: text, shown: `${url.protocol}//${url.host}` };
}
