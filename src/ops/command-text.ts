/** A command as it would be typed in a shell. */
export function formatCommandLine(words: readonly string[]): string {
  return ['tq', ...words].map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
