/** What is known of a worker at one moment. Instants are epoch milliseconds. */
export interface HealthFacts {
  /** `starting` until it takes jobs, `stopping` from the first moment of a stop on. */
  readonly phase: 'starting' | 'running' | 'stopping';
  readonly broker: { readonly isUp: boolean; readonly since: number };
  readonly fetch: { readonly isStuck: boolean; readonly since: number };
  readonly pool: {
    readonly kind: 'prefork' | 'async';
    readonly slots: number;
    readonly running: number;
    /** Child processes that live. */
    readonly children: number;
  };
}

/** The health of a worker, as probes and people read it. */
export interface Health {
  /** It does its work, or will without help. Otherwise restart it. */
  readonly live: boolean;
  /** It takes jobs now. */
  readonly ready: boolean;
  readonly phase: HealthFacts['phase'];
  /** Why it is not ready, one sentence each. */
  readonly problems: readonly string[];
  readonly components: {
    readonly broker: { readonly ok: boolean; readonly since: number };
    readonly fetch: { readonly ok: boolean; readonly since: number };
    readonly pool: HealthFacts['pool'] & { readonly ok: boolean };
  };
}

/**
 * A worker that lost its broker is live: a restart would not bring the broker back, and would cost the jobs that run. One that
 * takes nothing although jobs wait, slots are free and the broker answers is not: only a new process will.
 */
export function judgeHealth({ phase, broker, fetch, pool }: HealthFacts): Health {
  const hasPlace = pool.kind === 'async' || pool.children > 0;
  const problems = [
    ...(phase === 'running' ? [] : [`the worker is ${phase}`]),
    ...(broker.isUp ? [] : ['the broker is away']),
    ...(fetch.isStuck ? ['jobs wait and slots are free, but none is taken'] : []),
    ...(phase === 'running' && !hasPlace ? ['no child process is there to run a job'] : []),
  ];
  return {
    live: !fetch.isStuck,
    ready: problems.length === 0,
    phase,
    problems,
    components: {
      broker: { ok: broker.isUp, since: broker.since },
      fetch: { ok: !fetch.isStuck, since: fetch.since },
      pool: { ok: hasPlace, ...pool },
    },
  };
}
