/** The file that BullMQ's sandbox runs in its children. */
export default async function noop(): Promise<void> {}
