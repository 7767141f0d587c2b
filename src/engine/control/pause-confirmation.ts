import type { ControlBus } from '../broker/control-port.ts';
import { isRecord } from '../core/envelope.ts';
import { askLiveWorkers } from './ask-live-workers.ts';
import type { PauseReceipt } from './replies.ts';

/** What the live workers say to a change of the paused tasks. */
export interface PauseConfirmation {
  /** Live workers that did not say that they know. They read the record by themselves within five seconds. */
  readonly unconfirmed: readonly string[];
  /** Of the tasks that are paused, those that no live worker registers that answered. */
  readonly unregistered: readonly string[];
}

/** Makes all live workers read which tasks are paused. @throws BROKER_UNAVAILABLE */
export async function confirmPauses(control: ControlBus, timeoutMs: number | undefined): Promise<PauseConfirmation> {
  const addressed = timeoutMs === undefined ? {} : { timeoutMs };
  const { answers, silent } = await askLiveWorkers(control, { command: 'reload-pauses', args: null }, addressed);
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
