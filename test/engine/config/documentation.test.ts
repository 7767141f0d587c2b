import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DEFAULTS, SETTING_NAMES, SETTINGS, type SettingName } from '../../../src/engine/config/schema.ts';
import { formatDuration } from '../../../src/engine/core/duration.ts';

// How wide the columns of a table are is the formatter's business.
const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8').replace(/ {2,}/g, ' ');

test.each(SETTING_NAMES)('docs/configuration.md says what %s is, as the schema has it', (name) => {
  const { flag, variable, kind, about } = SETTINGS[name];
  const cells = [code(name), code(flag), code(variable), kind.type, showDefault(name), about];
  expect(page).toContain(`\n| ${cells.join(' | ')} |\n`);
});

test('docs/configuration.md lists no setting that does not exist', () => {
  const table = page.slice(page.indexOf('| setting |'), page.indexOf('Types:'));
  const listed = [...table.matchAll(/^\| `([\w.]+)`/gm)].map(([, name]) => name);
  expect(listed).toEqual(SETTING_NAMES);
});

function code(text: string | null): string {
  return text === null ? '–' : `\`${text}\``;
}

function showDefault(name: SettingName): string {
  if (name === 'worker.concurrency') return 'number of CPUs';
  if (name === 'undo.maxSize') return code('1GB');
  const value: unknown = new Map<string, unknown>(Object.entries(DEFAULTS)).get(name);
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '–';
  return code(typeof value === 'number' ? formatDuration(value) : String(value));
}
