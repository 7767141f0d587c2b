import type { Plan } from '../ops/operation.ts';
import type { CliHost } from './host.ts';
import type { Output } from './output.ts';
import { presentPlan } from './plan.ts';
import type { Streams } from './streams.ts';

/** Asks a person on the terminal; anything but yes is no. */
export async function askOn({ stdin, stderr }: Streams, question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return await new Promise<boolean>((resolve) => {
      // Ctrl-D and Ctrl-C close it without an answer.
      lines.on('close', () => resolve(false));
      lines.question(`${question} [y/N] `, (answer) => resolve(/^\s*y(es)?\s*$/i.test(answer)));
    });
  } finally {
    lines.close();
  }
}

/** Shows a plan and asks whether to go on. */
export function createConfirm(ask: CliHost['ask'], output: Output): ((plan: Plan) => Promise<boolean>) | undefined {
  if (ask === undefined) return undefined;
  return async (plan) => {
    output.show(presentPlan('', plan).blocks);
    return await ask('Go on?');
  };
}
