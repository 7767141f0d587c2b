/** The task of tq's own that sends an alert. Workers that have alerts run it, beside the tasks of their app. */
export const ALERT_TASK = 'tq.alert';

/** What an alert says: the argument of its job. Instants are epoch milliseconds. */
export interface AlertNotice {
  /** Of its window: the same in all that is sent for it. */
  readonly id: string;
  /** Name of the rule; who is told, and what signs it, stands in the configuration of the worker that sends it. */
  readonly rule: string;
  readonly via: 'webhook' | 'email';
  /** Dead letters that were counted when it was noticed: the threshold, or a few more. */
  readonly count: number;
  readonly threshold: number;
  readonly windowMs: number;
  /** When the first of the window was seen. */
  readonly firstAt: number;
  /** When the one was seen that made it an alert; `sample` is that one. */
  readonly lastAt: number;
  /** Of the counted ones where they all share it, by the rule's `per` or a pattern without `*` and `?`; null where they may differ. */
  readonly queue: string | null;
  readonly task: string | null;
  readonly fingerprint: string | null;
  readonly sample: AlertSample;
}

/** A dead letter as an example. */
export interface AlertSample {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly fingerprint: string;
  readonly error: { readonly name: string; readonly message: string; readonly code: string | null };
  readonly worker: string;
}
