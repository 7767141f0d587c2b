import type { Broker, BrokerQueue } from '../../../src/engine/broker/port.ts';
import type { StateStore } from '../../../src/engine/broker/state-port.ts';

/** Calls that the worker makes for a workflow: between two steps there are some of these. */
const QUEUE_CALLS = new Set(['readChildren', 'readJob', 'reprocess', 'listBriefs', 'revoke']);
const STATE_CALLS = new Set(['read', 'write', 'list']);

/** What happens at one call: before the broker has done it, or after that, when the caller does not hear it. */
export interface Incident {
  /** The call, counted from 1. */
  readonly at: number;
  readonly when: 'before' | 'after';
  /** Gives the caller something else than the answer; may never do so. */
  readonly happens: () => Promise<never>;
}

/**
 * A broker where something happens at one of the calls that lead a workflow on.
 *
 * @returns the broker, and how many such calls there were since `begin`
 */
export function createFailingBroker(broker: Broker, incident: Incident | undefined) {
  let calls = 0;
  let isOn = false;
  const walk = async (act: () => Promise<unknown>): Promise<unknown> => {
    if (!isOn) return await act();
    calls += 1;
    const isHere = incident?.at === calls;
    if (isHere && incident.when === 'before') return await incident.happens();
    const answer = await act();
    return isHere ? await incident.happens() : answer;
  };
  const wrap = <Target extends object>(target: Target, isCounted: (name: string) => boolean): Target =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
        return isCounted(String(name)) ? (...args: unknown[]) => walk(() => call(...args)) : call;
      },
    });
  const state: StateStore = wrap(broker.state, (name) => STATE_CALLS.has(name));
  const failing = new Proxy(broker, {
    get(_, name) {
      if (name === 'state') return state;
      if (name === 'queue')
        return (queue: string): BrokerQueue => wrap(broker.queue(queue), (call) => QUEUE_CALLS.has(call));
      const value: unknown = Reflect.get(broker, name, broker);
      if (typeof value !== 'function') return value;
      const call = value.bind(broker) as (...args: unknown[]) => Promise<unknown>;
      return name === 'addFlow' ? (...args: unknown[]) => walk(() => call(...args)) : call;
    },
  });
  return {
    broker: failing,
    begin(): void {
      isOn = true;
    },
    get calls(): number {
      return calls;
    },
  };
}
