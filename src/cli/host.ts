import type { Settings } from '../engine/config/settings.ts';
import type { Clock } from '../engine/core/clock.ts';
import type { SignalSource } from '../engine/runtime/stop-signals.ts';
import type { CliSession, SessionOptions } from './session.ts';
import type { Streams } from './streams.ts';

/** What surrounds one run of the CLI: the process, or a test. */
export interface CliHost {
  readonly streams: Streams;
  readonly cwd: string;
  readonly clock: Clock;
  /** Default the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Opens nothing by itself: the session connects on first use. */
  openSession(settings: Settings, options: SessionOptions): Promise<CliSession>;
  /** Asks a question that is answered with yes or no; absent where nobody can be asked. */
  readonly ask?: (question: string) => Promise<boolean>;
  /** Asks for a text; empty when it is refused. Absent where nobody can be asked. */
  readonly askText?: (question: string) => Promise<string>;
  /** Where signals come from. Default the process. */
  readonly signals?: SignalSource;
}
