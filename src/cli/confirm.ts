import type { UsedProfile } from '../engine/config/settings.ts';
import type { Plan } from '../ops/operation.ts';
import type { CliHost } from './host.ts';
import type { Output } from './output.ts';
import { presentPlan } from './plan.ts';
import type { Streams } from './streams.ts';

/** Asks a person on the terminal; anything but yes is no. */
export async function askOn(streams: Streams, question: string): Promise<boolean> {
  return /^\s*y(es)?\s*$/i.test(await askTextOn(streams, `${question} [y/N]`));
}

/** Has a person type a text; it is empty when they rather do not. */
export async function askTextOn({ stdin, stderr }: Streams, question: string): Promise<string> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return await new Promise<string>((resolve) => {
      // Ctrl-D and Ctrl-C close it without an answer.
      lines.on('close', () => resolve(''));
      lines.question(`${question} `, resolve);
    });
  } finally {
    lines.close();
  }
}

/** `prod (protected)`: how a profile shows itself. */
export function formatProfile({ name, isProtected }: UsedProfile): string {
  return isProtected ? `${name} (protected)` : name;
}

/** Shows a plan and asks whether to go on. */
export function createConfirm(
  ask: CliHost['ask'],
  output: Output,
  profile?: UsedProfile,
): ((plan: Plan) => Promise<boolean>) | undefined {
  if (ask === undefined) return undefined;
  return async (plan) => {
    output.show(presentPlan('', plan).blocks);
    return await ask(profile === undefined ? 'Go on?' : `${formatProfile(profile)}: go on?`);
  };
}

/** Shows a plan and has the name typed that it touches. */
export function createAskName(
  askText: CliHost['askText'],
  output: Output,
  profile: UsedProfile,
): ((name: string, plan: Plan) => Promise<boolean>) | undefined {
  if (askText === undefined) return undefined;
  return async (name, plan) => {
    output.show(presentPlan('', plan).blocks);
    return (await askText(`${formatProfile(profile)}: type ${name} to go on:`)).trim() === name;
  };
}
