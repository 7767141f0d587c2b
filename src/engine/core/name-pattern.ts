/**
 * A pattern over names of tasks and queues: `*` stands for any characters, `?` for one. Dots are nothing special, so
 * `email.*` takes `email.send` and `email.digest.weekly`.
 */
export function parseNamePattern(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 's');
  return (name) => expression.test(name);
}
