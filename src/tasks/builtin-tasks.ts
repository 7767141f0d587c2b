import type { BuiltinEnvironment, BuiltinOptions } from './builtin-options.ts';
import { emailTasks } from './email/email-tasks.ts';
import { fileTasks } from './files/file-tasks.ts';
import { healthTasks } from './health/health-task.ts';
import { imageTasks } from './images/image-tasks.ts';

/** The tasks that come with tq, by name, each with the types of its input and its result. */
export type BuiltinTasks = ReturnType<typeof emailTasks> &
  ReturnType<typeof imageTasks> &
  ReturnType<typeof fileTasks> &
  ReturnType<typeof healthTasks>;

/**
 * Declares the built-in tasks. Cheap: nodemailer, sharp and picomatch are loaded by the first job that needs them, and
 * nothing is read or connected before.
 *
 * @param options as parseBuiltinOptions() gives them
 */
export function builtinTasks(options: BuiltinOptions, environment: BuiltinEnvironment): BuiltinTasks {
  return {
    ...emailTasks(options.email ?? {}, environment),
    ...imageTasks(options.images ?? {}, environment),
    ...fileTasks(options.files ?? {}, environment),
    ...healthTasks(options.health ?? {}, environment),
  };
}
