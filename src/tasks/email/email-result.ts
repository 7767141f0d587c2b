/** What became of an e-mail. */
export interface EmailResult {
  /** Its Message-ID, the same for every attempt of a job. */
  readonly messageId: string;
  /** Addresses that the server took the message for. */
  readonly accepted: string[];
  /** Addresses that the server did not take, while it took others. */
  readonly rejected: string[];
  /** The file that the e-mail was written to; null when it went to a server. */
  readonly outbox: string | null;
}
