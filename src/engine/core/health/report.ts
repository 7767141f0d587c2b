/** `degraded`: it works, and somebody should look · `failed`: it does not do its work. */
export type HealthStatus = 'ok' | 'degraded' | 'failed';

/**
 * What was found of one part of the system. Beside name, status and message it has figures of its own: flat values, null where one
 * is not known. Their names stay the same between versions.
 */
export interface HealthComponent {
  readonly name: string;
  readonly status: HealthStatus;
  /** One sentence with the facts. */
  readonly message: string;
  readonly [figure: string]: string | number | boolean | null | readonly string[];
}

export interface HealthReport {
  /** The worst of its components. */
  readonly status: HealthStatus;
  readonly components: readonly HealthComponent[];
}

const ORDER: readonly HealthStatus[] = ['ok', 'degraded', 'failed'];

export function createReport(components: readonly HealthComponent[]): HealthReport {
  return { status: worstOf(components.map(({ status }) => status)), components };
}

function worstOf(statuses: readonly HealthStatus[]): HealthStatus {
  return ORDER.findLast((status) => statuses.includes(status)) ?? 'ok';
}
