/** What one check of `tq doctor` has found. */
export interface Finding {
  /** Which check; stays the same between versions. */
  readonly check: string;
  readonly status: FindingStatus;
  /** One sentence with the facts. */
  readonly message: string;
  /** What to do; null when there is nothing to do. */
  readonly fix: string | null;
}

/** `failed`: jobs are or will be lost or stand still · `warning`: they may be · `skipped`: nobody could look. */
export type FindingStatus = 'ok' | 'warning' | 'failed' | 'skipped';

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message, fix: null };
}

export function warning(check: string, message: string, fix: string): Finding {
  return { check, status: 'warning', message, fix };
}

export function failed(check: string, message: string, fix: string): Finding {
  return { check, status: 'failed', message, fix };
}

export function skipped(check: string, message: string, fix: string | null = null): Finding {
  return { check, status: 'skipped', message, fix };
}

/** `950 MiB`, `1.4 GiB`: for sentences. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
