import type { PauseReceipt } from '../engine/control/replies.ts';
import { isRecord } from '../engine/core/envelope.ts';
import type { Session } from './session.ts';
import { askWorkers } from './worker-replies.ts';

/** What the live workers say to a change of the paused tasks. */
export interface PauseConfirmation {
  /** Live workers that did not say that they know. They read the record by themselves within five seconds. */
  readonly unconfirmed: readonly string[];
  /** Of the tasks that are paused, those that no live worker registers that answered. */
  readonly unregistered: readonly string[];
}

/** Makes all live workers read which tasks are paused. @throws BROKER_UNAVAILABLE */
export async function confirmPauses(session: Session, timeoutMs: number | undefined): Promise<PauseConfirmation> {
  const { answers, silent } = await askWorkers(session, 'reload-pauses', timeoutMs === undefined ? {} : { timeoutMs });
  const failed = [...answers].filter(([, { ok }]) => !ok).map(([name]) => name);
  const receipts = [...answers.values()].flatMap((answer) =>
    answer.ok && isReceipt(answer.value) ? [answer.value] : [],
  );
  const [first, ...others] = receipts.map(({ unknown }) => unknown);
  const unregistered = (first ?? []).filter((task) => others.every((unknown) => unknown.includes(task)));
  return { unconfirmed: [...silent, ...failed].sort(), unregistered };
}

function isReceipt(value: unknown): value is PauseReceipt {
  return isRecord(value) && Array.isArray(value['unknown']);
}
