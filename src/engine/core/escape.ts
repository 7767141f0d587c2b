/**
 * Text that came out of a job (names, arguments, errors) may hold terminal control sequences. This makes them visible
 * instead of obeyed: C0, DEL, C1, line and paragraph separators and bidirectional overrides become `\xNN` or `\uNNNN`.
 *
 * @param keepNewlines leaves `\n` and tab as they are, for stacks
 */
export function escapeControl(text: string, keepNewlines = false): string {
  return text.replace(CONTROL, (char) => {
    if (keepNewlines && (char === '\n' || char === '\t')) return char;
    const code = char.charCodeAt(0);
    if (char === '\n') return '\\n';
    if (char === '\r') return '\\r';
    if (char === '\t') return '\\t';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
