/** The words of a command line as a shell would split them, for lines with single quotes and nothing more difficult. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
