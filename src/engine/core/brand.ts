/**
 * Marks the value of createApp(), so that a module's export is recognised as an app although the app and the CLI may have
 * loaded two copies of the package.
 */
export const APP_BRAND: unique symbol = Symbol.for('taskq.app');

export function isApp(value: unknown): boolean {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && APP_BRAND in value;
}
