import { onStopSignals, type SignalSource } from '../engine/runtime/stop-signals.ts';

/**
 * Turns Ctrl-C into a wish to stop. Until an operation asks for the signal nothing is listened to, and Ctrl-C ends the process as it does
 * any other; from then on the first one asks the operation to stop, and the second ends the process.
 */
export class Stopping {
  readonly #note: (text: string) => void;
  readonly #source: SignalSource | undefined;
  #controller: AbortController | undefined;
  #stopListening: (() => void) | undefined;

  /** @param source default the process */
  constructor(note: (text: string) => void, source?: SignalSource) {
    this.#note = note;
    this.#source = source;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#listen();
    return this.#controller.signal;
  }

  /** From now on the signals end the process again. */
  end(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #listen(): AbortController {
    const controller = new AbortController();
    this.#stopListening = onStopSignals({
      warm: () => {
        this.#note('stopping after this page of jobs; Ctrl-C again ends it at once');
        controller.abort();
      },
      // The default of the signal is back, and is what ends the process.
      cold: (signal) => {
        this.end();
        process.kill(process.pid, signal);
      },
      ...(this.#source !== undefined && { source: this.#source }),
    });
    return controller;
  }
}
