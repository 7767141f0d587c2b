import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface MailServer {
  readonly url: string;
  /** What has arrived, parsed, in order. */
  readonly mails: { readonly raw: string; readonly parsed: Email; readonly from: string; readonly to: string[] }[];
}

/** A reply that the server gives to a recipient or to a message, in place of 250. */
export interface Replies {
  readonly rcpt?: (address: string) => number | undefined;
  readonly data?: () => number | undefined;
  readonly login?: { readonly user: string; readonly password: string };
}

/** Runs `use` with a real SMTP server on a free port of this machine. */
export async function withMailServer(replies: Replies, use: (server: MailServer) => Promise<void>): Promise<void> {
  const mails: MailServer['mails'] = [];
  const server = new SMTPServer({
    disabledCommands: replies.login === undefined ? ['STARTTLS', 'AUTH'] : ['STARTTLS'],
    allowInsecureAuth: true,
    authOptional: replies.login === undefined,
    onAuth: ({ username, password }, _session, done) =>
      username === replies.login?.user && password === replies.login?.password
        ? done(null, { user: username })
        : done(refusal(535)),
    onRcptTo: ({ address }, _session, done) => done(refusal(replies.rcpt?.(address))),
    onData: async (stream, session, done) => {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      const code = replies.data?.();
      if (code !== undefined) return done(refusal(code));
      const raw = Buffer.concat(chunks);
      const { mailFrom, rcptTo } = session.envelope;
      const from = mailFrom === false ? '' : mailFrom.address;
      mails.push({
        raw: raw.toString(),
        parsed: await PostalMime.parse(raw),
        from,
        to: rcptTo.map((to) => to.address),
      });
      return done();
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  try {
    await use({ url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, mails });
  } finally {
    await new Promise<void>((resolve) => server.close(resolve));
  }
}

function refusal(code: number | undefined): Error | null {
  return code === undefined ? null : Object.assign(new Error(`refused with ${code}`), { responseCode: code });
}
