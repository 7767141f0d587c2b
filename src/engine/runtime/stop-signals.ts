/** The part of `process` that signals need; a plain EventEmitter does in tests. */
export interface SignalSource {
  on(signal: string, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: string, listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface StopSignalOptions {
  /** Stop gracefully. Called at most once, with the first of `signals`. */
  warm: (signal: NodeJS.Signals) => void;
  /** Stop now. Called at most once: with the second of `signals`, or with SIGQUIT at any time. */
  cold: (signal: NodeJS.Signals) => void;
  /** Signals that ask to stop. Default SIGTERM and SIGINT, which count together: a SIGINT after a SIGTERM is the second. */
  signals?: readonly NodeJS.Signals[];
  /** Default the process itself. */
  source?: SignalSource;
}

/**
 * Turns the signals that ask a process to stop into two calls, first warm, then cold (design.md section 6). SIGQUIT goes
 * straight to cold, as in Celery. Signals after cold do nothing: there is nothing faster left to ask for.
 *
 * While the handlers are in place Node does not end the process on these signals; the caller must.
 *
 * @returns a function that removes the handlers, so that the signals end the process again
 */
export function onStopSignals({ warm, cold, signals, source = process }: StopSignalOptions): () => void {
  let asked: 'nothing' | 'warm' | 'cold' = 'nothing';
  const stopNow = (signal: NodeJS.Signals): void => {
    if (asked === 'cold') return;
    asked = 'cold';
    cold(signal);
  };
  const stop = (signal: NodeJS.Signals): void => {
    if (asked === 'nothing') {
      asked = 'warm';
      warm(signal);
    } else {
      stopNow(signal);
    }
  };
  const handlers: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ...(signals ?? DEFAULT_SIGNALS).map((signal): [NodeJS.Signals, typeof stop] => [signal, stop]),
    ['SIGQUIT', stopNow],
  ];
  for (const [signal, handler] of handlers) source.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
  };
}

const DEFAULT_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
