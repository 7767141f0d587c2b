import type { App } from '../engine/app/contract.ts';
import type { Broker } from '../engine/broker/port.ts';
import type { ResultStore } from '../engine/broker/result-store/result-port.ts';
import type { Clock } from '../engine/core/clock.ts';

/** What an operation may reach. Each is made on first use, so an operation that needs no task code loads none. */
export interface Session {
  /**
   * @param options.skipSchema does not look whether the schema fits: for the operation that is about to make it
   * @throws BROKER_URL_INVALID, BROKER_UNAVAILABLE, BROKER_UNSUITABLE
   */
  broker(options?: { readonly skipSchema?: boolean }): Promise<Broker>;
  /**
   * Where results are stored beside the broker; undefined when they are in the broker alone.
   *
   * @throws RESULTS_URL_INVALID, RESULTS_UNAVAILABLE, RESULTS_UNSUITABLE, and what `app` throws when the app has to say it
   */
  results(options?: { readonly skipSchema?: boolean }): Promise<ResultStore | undefined>;
  /**
   * The app of the project, or one with the built-in tasks only when the project names none.
   *
   * @throws APP_NOT_FOUND, APP_FAILED, APP_NOT_EXPORTED
   */
  app(): Promise<App>;
  /** The app is one that the project names. Not there, or false: it has the built-in tasks alone, and what else workers register is not known. */
  readonly isAppNamed?: boolean;
  readonly clock: Clock;
  /** The folder of undo bundles; undefined where there is none. */
  readonly undoDir?: string;
}
