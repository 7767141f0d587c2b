import { expect, test } from 'vitest';
import { AppAlerts } from '../../../src/engine/app/app-alerts.ts';
import { ALERT_TASK } from '../../../src/engine/core/alert-notice.ts';
import { parseAlerts } from '../../../src/engine/core/alert-rule.ts';
import { createTestEnvironment } from '../../tasks/task-context.ts';
import { createFolder } from '../config/folder.ts';
import { setUp } from './setup.ts';

const create = async (config: string, rules?: readonly object[]): Promise<AppAlerts> => {
  const cwd = await createFolder({ 'tq.config.ts': `export default ${config};` });
  const own = rules === undefined ? undefined : parseAlerts(rules).rules;
  return new AppAlerts({ rules: own, cwd, email: {}, surroundings: createTestEnvironment(cwd) });
};
const IN_FILE = `{ alerts: [{ name: 'of the file', webhook: 'https://chat.example/x' }] }`;

test('alerts of the config file hold where the app says nothing about alerts', async () => {
  const alerts = await create(IN_FILE);
  expect((await alerts.read()).map(({ name }) => name)).toEqual(['of the file']);
  expect([...alerts.tasks.keys()]).toEqual([ALERT_TASK]);
});

test.each([
  [[], []],
  [[{ name: 'own', email: 'a@x.example' }], ['own']],
])('alerts of the app go first, also none: %j', async (rules, names) => {
  const alerts = await create(IN_FILE, rules);
  expect((await alerts.read()).map(({ name }) => name)).toEqual(names);
  expect(alerts.tasks.size).toBe(names.length);
});

test('without alerts there is no task that sends them, and with them it is not among the tasks of the app', () => {
  expect(setUp().app.ownTasks.size).toBe(0);
  const { app } = setUp({ alerts: [{ email: 'a@x.example' }] });
  expect([...app.ownTasks.keys()]).toEqual([ALERT_TASK]);
  expect(app.tasks.has(ALERT_TASK)).toBe(false);
});
