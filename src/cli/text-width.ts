/** The columns that a text takes on a terminal: wide characters take two, combining ones none. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

/** The text, cut to this many columns; a cut text ends with an ellipsis. */
export function truncateText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const char of text) {
    width += charWidth(char);
    if (width > columns - 1) break;
    kept += char;
  }
  return `${kept}…`;
}

const PLAIN = /^[\x20-\x7e]*$/;
const NARROW = /^(?:\p{M}|[\u200b-\u200f])$/u;
/** East Asian Wide and Fullwidth (Unicode Annex 11), by their blocks, and the emoji that are shown as pictures. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])$/u;

function charWidth(char: string): number {
  if (NARROW.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}
