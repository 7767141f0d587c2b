import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Calls an exported function in a Node process of its own. vitest compiles what it imports, so what Node makes of a
 * user's TypeScript can only be seen outside of it.
 *
 * @returns what the function resolves with, or the error that it rejects with: `{ code, message, next, exitCode, cause }`
 */
export async function callInPlainNode(module: URL, call: string, ...args: unknown[]): Promise<Record<string, unknown>> {
  const script = `
    const exported = await import(${JSON.stringify(module.href)});
    const tell = (value) => process.stdout.write('\\n' + JSON.stringify(value));
    await exported[${JSON.stringify(call)}](...${JSON.stringify(args)}).then(tell, (error) =>
      tell({ code: error.code, message: error.message, next: error.next, exitCode: error.exitCode, cause: String(error.cause) }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n')));
}
