import { formatBytes } from '../../engine/core/checkup/finding.ts';
import type { HealthComponent, HealthStatus } from '../../engine/core/health/report.ts';
import type { HealthLimits } from './limits.ts';
import type { DiskSpace, MemoryUse } from './machine.ts';

/** A part of the least free space below which writes begin to fail. */
const FAILED_DISK = 1 / 10;
const FAILED_MEMORY = 1 / 5;
/** V8 collects ever more often above this, and ends the process at its limit. */
const FULL_HEAP_PERCENT = 90;

/** A folder, and what its file system has; or why it could not be looked at. */
export interface FolderSpace {
  readonly folder: string;
  readonly space: DiskSpace | { readonly reason: string };
}

/** Its figures are those of the folder with the least free space. */
export function checkDisk(
  folders: readonly FolderSpace[],
  { leastDiskBytes }: Pick<HealthLimits, 'leastDiskBytes'>,
): HealthComponent {
  const read = folders.flatMap(({ folder, space }) => ('reason' in space ? [] : [{ folder, ...space }]));
  const unread = folders.flatMap(({ folder, space }) => ('reason' in space ? [`${folder}: ${space.reason}`] : []));
  const scarce = read.toSorted((one, other) => one.freeBytes - other.freeBytes);
  const [scarcest] = scarce;
  const short = scarce.filter(({ freeBytes }) => freeBytes < leastDiskBytes);
  const hasFailed = short.some(({ freeBytes }) => freeBytes < leastDiskBytes * FAILED_DISK);
  const describe = (place: { folder: string } & DiskSpace): string =>
    `${formatBytes(place.freeBytes)} of ${formatBytes(place.totalBytes)} free in ${place.folder}`;
  const shown = short.length > 0 ? short : scarce.slice(0, 1);
  const limit = short.length > 0 ? `, less than ${formatBytes(leastDiskBytes)}` : '';
  const problems = unread.length === 0 ? [] : [`could not look at ${unread.join(', ')}`];
  return {
    name: 'disk',
    status: hasFailed ? 'failed' : short.length + unread.length > 0 ? 'degraded' : 'ok',
    message: [...(shown.length === 0 ? [] : [shown.map(describe).join(', ') + limit]), ...problems].join('; '),
    path: scarcest?.folder ?? null,
    freeBytes: scarcest?.freeBytes ?? null,
    totalBytes: scarcest?.totalBytes ?? null,
  };
}

export function checkMemory(
  use: MemoryUse,
  limits: Pick<HealthLimits, 'leastMemoryPercent' | 'processMemoryBytes'>,
): HealthComponent {
  const { processBytes, heapUsedBytes, heapLimitBytes, freeBytes, totalBytes } = use;
  const { leastMemoryPercent, processMemoryBytes } = limits;
  const freePercent = toPercent(freeBytes, totalBytes);
  const heapPercent = toPercent(heapUsedBytes, heapLimitBytes);
  const problems: string[] = [];
  let status: HealthStatus = 'ok';
  if (freePercent < leastMemoryPercent) {
    status = freePercent < leastMemoryPercent * FAILED_MEMORY ? 'failed' : 'degraded';
    problems.push(
      `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free, less than ${leastMemoryPercent} per cent`,
    );
  }
  if (processMemoryBytes !== null && processBytes > processMemoryBytes) {
    problems.push(`this process holds ${formatBytes(processBytes)}, more than ${formatBytes(processMemoryBytes)}`);
  }
  if (heapPercent > FULL_HEAP_PERCENT) {
    problems.push(`the heap of this process is ${heapPercent} per cent full`);
  }
  if (status === 'ok' && problems.length > 0) status = 'degraded';
  const facts = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free, this process holds ${formatBytes(processBytes)}`;
  return {
    name: 'memory',
    status,
    message: problems.length === 0 ? facts : problems.join('; '),
    ...{ freeBytes, totalBytes, processBytes, heapUsedBytes, heapLimitBytes },
  };
}

function toPercent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1000) / 10;
}
