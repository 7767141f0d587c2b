/** An instant for people, as ISO 8601. A foreign producer may write a number that is no date. */
export function formatInstant(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? `${at} ms` : date.toISOString();
}
