import type { AlertRule } from '../core/alert-rule.ts';
import { loadSettings } from './settings.ts';

/**
 * The broker of the project that a folder belongs to, for a program that names none itself: that of the config file, so that
 * the program and `tq worker` share it, else the default one.
 *
 * @returns a URL; may hold a password
 * @throws INVALID_CONFIG for mistakes in the config file
 */
export async function readProjectBroker(cwd: string): Promise<string> {
  const { broker, defaultBroker } = await loadSettings({ env: {}, cwd });
  return broker ?? defaultBroker;
}

/**
 * The result store of the project that a folder belongs to.
 *
 * @returns a URL, which may hold a password; undefined when the config file names none
 * @throws INVALID_CONFIG for mistakes in the config file
 */
export async function readProjectResults(cwd: string): Promise<string | undefined> {
  return (await loadSettings({ env: {}, cwd })).results;
}

/**
 * The alerts of the project that a folder belongs to; none when the config file names none. They may hold secrets.
 *
 * @throws INVALID_CONFIG for mistakes in the config file
 */
export async function readProjectAlerts(cwd: string): Promise<readonly AlertRule[]> {
  return (await loadSettings({ env: {}, cwd })).alerts;
}
