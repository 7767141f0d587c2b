import { createHash } from 'node:crypto';

/**
 * The id of a job that follows from another one: always the same for the same cause, so a repeated acknowledgement cannot enqueue
 * it twice. It is a UUIDv8 (RFC 9562 §5.8): the instant of the graph's own id, if it is a UUIDv7, so that the jobs of a workflow
 * sort by when it was sent; then 74 bits of a digest.
 *
 * @param graph the id of the workflow, or of the job whose place the graph takes
 */
export function deriveStepId(graph: string, node: number): string {
  const digest = createHash('sha256').update(`${graph}\n${node}`).digest('hex');
  const time = /^([0-9a-f]{8})-([0-9a-f]{4})-[78]/.exec(graph);
  const head = time === null ? `${digest.slice(40, 48)}-${digest.slice(48, 52)}` : `${time[1]}-${time[2]}`;
  const variant = ((Number.parseInt(digest.slice(3, 4), 16) & 3) | 8).toString(16);
  return `${head}-8${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`;
}
