import { alertTask } from '../../tasks/alerts/alert-task.ts';
import type { BuiltinEnvironment, EmailOptions } from '../../tasks/builtin-options.ts';
import { readProjectAlerts } from '../config/project-broker.ts';
import type { AlertRule } from '../core/alert-rule.ts';
import type { TaskDefinition } from '../task/definition.ts';

interface AppAlertsOptions {
  /** Undefined looks into tq.config when the first worker is made. */
  readonly rules: readonly AlertRule[] | undefined;
  /** Where the search for tq.config begins. */
  readonly cwd: string | undefined;
  readonly email: EmailOptions;
  readonly surroundings: BuiltinEnvironment;
}

/** The alerts of an app, and the task that sends them. Without any there is no such task. */
export class AppAlerts {
  readonly #options: AppAlertsOptions;
  readonly #tasks = new Map<string, TaskDefinition>();
  #rules: readonly AlertRule[] | undefined;

  constructor(options: AppAlertsOptions) {
    this.#options = options;
    if (options.rules !== undefined) this.use(options.rules);
  }

  get tasks(): ReadonlyMap<string, TaskDefinition> {
    return this.#tasks;
  }

  use(rules: readonly AlertRule[]): void {
    const { email, surroundings } = this.#options;
    this.#rules = rules;
    this.#tasks.clear();
    if (rules.length === 0) return;
    const task = alertTask(rules, email, surroundings) as unknown as TaskDefinition;
    this.#tasks.set(task.name, task);
  }

  /** @throws INVALID_CONFIG for mistakes in tq.config */
  async read(): Promise<readonly AlertRule[]> {
    if (this.#rules === undefined) this.use(await readProjectAlerts(this.#options.cwd ?? process.cwd()));
    return this.#rules ?? [];
  }
}
