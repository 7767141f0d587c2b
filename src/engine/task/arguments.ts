import type { StandardSchemaV1 } from '@standard-schema/spec';
import { createError } from '../core/errors.ts';
import type { TaskDefinition } from './definition.ts';

/**
 * Checks arguments against the schema of a task.
 *
 * @param where what is being done, for the error: `calling` or `running`
 * @returns what the schema makes of them (defaults, conversions): the arguments that the handler takes
 * @throws InvalidArguments, naming every problem with its path
 */
export async function parseArguments(
  definition: TaskDefinition,
  args: readonly unknown[],
  where: 'calling' | 'running',
): Promise<readonly unknown[]> {
  const { input, args: argsSchema, name } = definition;
  if (input !== undefined) {
    if (args.length > 1) {
      throw createError('INVALID_ARGUMENTS', {
        task: name,
        where,
        problems: [`it takes one argument, got ${args.length}`],
      });
    }
    return [await validate(input, args[0], { task: name, where, root: 'input' })];
  }
  if (argsSchema === undefined) return args;
  return (await validate(argsSchema, [...args], { task: name, where, root: 'args' })) as readonly unknown[];
}

/** Whether there is anything to check. Without a schema, `parseArguments` gives the arguments back as they are. */
export function hasSchema({ input, args }: TaskDefinition): boolean {
  return input !== undefined || args !== undefined;
}

async function validate(
  schema: StandardSchemaV1,
  value: unknown,
  { task, where, root }: { task: string; where: string; root: string },
): Promise<unknown> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const problems = result.issues.map(({ path, message }) => `${formatPath(root, path)}: ${message}`);
  throw createError('INVALID_ARGUMENTS', { task, where, problems });
}

function formatPath(root: string, path: StandardSchemaV1.Issue['path']): string {
  const keys = (path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return keys.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`),
    root,
  );
}
