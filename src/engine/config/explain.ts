import { maskAlert } from '../core/alert-rule.ts';
import type { Origin } from './chosen-settings.ts';
import type { SettingName } from './schema.ts';
import { SETTING_NAMES } from './schema.ts';
import { maskSecrets } from './secret.ts';
import type { Settings } from './settings.ts';

/** One setting of a run, fit for a bug report: secrets are masked, durations are milliseconds. */
export interface ExplainedSetting {
  readonly name: SettingName;
  /** Null when it has none. */
  readonly value: unknown;
  readonly source: Origin['source'] | 'default';
  /** The flag, the variable or the place in the file; null for a default. */
  readonly where: string | null;
}

export function explainSettings(settings: Settings): ExplainedSetting[] {
  return SETTING_NAMES.map((name) => {
    const origin = settings.origins.get(name);
    return {
      name,
      value: readValue(settings, name) ?? null,
      source: origin?.source ?? 'default',
      where: origin?.where ?? null,
    };
  });
}

function readValue(settings: Settings, name: SettingName): unknown {
  if (name === 'noColor') return settings.color === false;
  if (name === 'results') return settings.results && maskSecrets(settings.results);
  if (name === 'alerts') return settings.alerts.map(maskAlert);
  if (name === 'broker') return maskSecrets(settings.broker ?? settings.defaultBroker);
  if (name === 'profile') return settings.profile?.name;
  if (name === 'undo.maxSize') return settings.undo.maxBytes;
  const [group, key] = name.startsWith('worker.')
    ? [settings.worker, name.slice('worker.'.length)]
    : name.startsWith('undo.')
      ? [settings.undo, name.slice('undo.'.length)]
      : [settings, name];
  const values = group as unknown as Readonly<Record<string, unknown>>;
  return values[key] ?? values[`${key}Ms`];
}
