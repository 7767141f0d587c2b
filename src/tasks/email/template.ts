import { escapeControl } from '../../engine/core/escape.ts';
import type { TemplateValues } from './email-input.ts';

/** The parts of an e-mail, with `{{name}}` where a value goes; `{{name|there}}` says what stands there without one. */
export interface Template {
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
}

/** Builds the error for a reason; the caller knows the e-mail and the template. */
export type Refuse = (reason: string) => Error;

/**
 * Fills a template. Values in the HTML are escaped, so a value can never become a tag or leave its attribute; a value that
 * an attribute such as `href` starts with must be an http or https link. Templates themselves are trusted.
 *
 * @throws what `refuse` gives: for missing values (all are named), a link of another kind, a placeholder that cannot be read
 */
export function renderTemplate(template: Template, values: TemplateValues, refuse: Refuse): Template {
  const parts = [template.subject, template.text, template.html].filter((part) => part !== undefined);
  const missing = new Set(parts.flatMap((part) => listMissing(part, values, refuse)));
  if (missing.size > 0) {
    const names = [...missing].map((name) => `"${name}"`).join(', ');
    throw refuse(`it needs the ${missing.size === 1 ? 'value' : 'values'} ${names}, which \`context\` does not have`);
  }
  return {
    ...(template.subject !== undefined && { subject: fill(template.subject, values) }),
    ...(template.text !== undefined && { text: fill(template.text, values) }),
    ...(template.html !== undefined && { html: fillHtml(template.html, values, refuse) }),
  };
}

const PLACEHOLDER = /\{\{\s*([A-Za-z]\w*)\s*(?:\|([^{}]*))?\}\}/g;

function listMissing(part: string, values: TemplateValues, refuse: Refuse): string[] {
  const unread = /\{\{[^}]{0,40}/.exec(part.replace(PLACEHOLDER, ''));
  if (unread !== null)
    throw refuse(`${JSON.stringify(unread[0])} is not a placeholder; write {{name}} or {{name|default}}`);
  return [...part.matchAll(PLACEHOLDER)].flatMap(([, name = '', without]) =>
    pickValue(name, without, values) === undefined ? [name] : [],
  );
}

/** The value as a text; the default when it is absent or empty; undefined when it is absent and there is no default. */
function pickValue(name: string, without: string | undefined, values: TemplateValues): string | undefined {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined || value === null) return without?.trim();
  return value === '' && without !== undefined ? without.trim() : String(value);
}

function fill(part: string, values: TemplateValues): string {
  return part.replace(
    PLACEHOLDER,
    (_, name: string, without: string | undefined) => pickValue(name, without, values) ?? '',
  );
}

function fillHtml(html: string, values: TemplateValues, refuse: Refuse): string {
  return html.replace(PLACEHOLDER, (whole, name: string, without: string | undefined, offset: number) => {
    const value = pickValue(name, without, values) ?? '';
    const before = html.slice(Math.max(0, offset - 500), offset);
    if (UNQUOTED.test(before)) throw refuse(`${whole} stands in an attribute without quotes`);
    return escapeHtml(LINK_START.test(before) ? toLink(name, value, refuse) : value);
  });
}

/** An attribute without quotes ends at the first space of its value, and what follows would be an attribute of its own. */
const UNQUOTED = /<[a-z][^<>]*=\s*$/i;
const LINK_START = /(?:href|src|srcset|action|poster|background|cite|data)\s*=\s*["']\s*$/i;

/** A link as the URL parser writes it, which also removes the line breaks and spaces that hide a scheme. */
function toLink(name: string, value: string, refuse: Refuse): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw refuse(
      `"${name}" must be a link that starts with https:// or http://, got "${escapeControl(value.slice(0, 60))}"`,
    );
  }
  return url.href;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
