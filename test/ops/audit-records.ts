import type { AuditRecord } from '../../src/ops/audit-log.ts';

/** A run that is done. */
export function createRecord(id: string, more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    ...{ id, operation: 'purge-queues', command: 'tq purge --all --yes', user: 'ada', host: 'box', profile: null },
    ...{ at: 1000, endedAt: 2000, end: 'done', planned: 3, changed: 3, error: null, bundle: null, undoneBy: null },
    ...more,
  };
}
