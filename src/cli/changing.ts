import type { Execution, GateOptions, Reached } from '../ops/gate.ts';
import { readOperator } from '../ops/operator.ts';
import { createRunKeeper } from '../ops/undo/run-keeper.ts';
import type { CommandContext, Values } from './command.ts';
import { createAskName, formatProfile } from './confirm.ts';
import type { Output } from './output.ts';

type Guards = Pick<
  GateOptions,
  'createKeeper' | 'auditor' | 'warn' | 'onBroken' | 'onPlan' | 'readOnly' | 'protectedProfile'
>;

/** What the gate needs to let an operation change something: where it is kept, who is written down, what protects the broker. */
export function createGuards({ settings, session, output, host }: CommandContext, options: Values['options']): Guards {
  const { profile, write, confirm, dryRun, undo } = settings;
  const operator = readOperator();
  const askName = profile && createAskName(host.askText, output, profile);
  return {
    warn: output.note,
    auditor: { ...operator, profile: profile?.name ?? null },
    onBroken: (reached) => output.note(describeReached('it failed', reached)),
    // `--no-undo`, as commander has it.
    ...(options['undo'] !== false && {
      createKeeper: (about) => createRunKeeper(session, about, { place: undo, operator, warn: output.note }),
    }),
    ...(profile?.isProtected === true && {
      readOnly: !write,
      protectedProfile: { name: profile.name, confirmed: confirm, ...(askName !== undefined && { askName }) },
      onPlan: () => {
        if (!dryRun) output.note(`profile ${formatProfile(profile)}`);
      },
    }),
  };
}

/** What is said after the result of an operation that changed something. */
export function tellEnd({ stopped, undo }: Extract<Execution<unknown>, { kind: 'done' }>, { note }: Output): void {
  if (stopped !== undefined) note(describeReached('stopped', { ...stopped, undo: null }));
  if (undo !== undefined) note(`undo: tq undo ${undo}`);
}

function describeReached(what: string, { done, total, undo }: Reached): string {
  const jobs = total === null ? `${done ?? 0} jobs` : `${done ?? 0} of ${total} jobs`;
  const back = undo === null ? '' : `; \`tq undo ${undo}\` takes them back`;
  return `${what} after ${jobs}; the same command goes on with the rest${back}`;
}
