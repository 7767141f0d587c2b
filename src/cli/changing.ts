import type { GateOptions, Reached } from '../ops/gate.ts';
import { readOperator } from '../ops/operator.ts';
import { createRunKeeper } from '../ops/undo/run-keeper.ts';
import type { UndoKeeper } from '../ops/undo-keeper.ts';
import type { CommandContext, Values } from './command.ts';
import { createAskName, formatProfile } from './confirm.ts';

/** What the gate needs to let an operation change something: where it is kept, who is written down, what protects the broker. */
type Guards = Pick<
  GateOptions,
  'createKeeper' | 'auditor' | 'warn' | 'onBroken' | 'onPlan' | 'readOnly' | 'protectedProfile'
>;

/** What surrounds one operation that changes something. */
export class Changing {
  readonly #context: CommandContext;
  readonly guards: Guards;
  #keeper: UndoKeeper | undefined;

  /** @param options those of the command, as they were typed */
  constructor(context: CommandContext, options: Values['options']) {
    this.#context = context;
    const { note } = context.output;
    const operator = readOperator();
    this.guards = {
      warn: note,
      auditor: { ...operator, profile: context.settings.profile?.name ?? null },
      onBroken: (reached) => note(describeReached('it failed', reached)),
      // `--no-undo`, as commander has it.
      ...(options['undo'] !== false && {
        createKeeper: (about) => {
          const place = context.settings.undo;
          const keeper = createRunKeeper(context.session, about, { place, operator, warn: note });
          this.#keeper = keeper;
          return keeper;
        },
      }),
      ...this.#protect(),
    };
  }

  /** Says what follows the result. */
  tellEnd(stopped: Reached | undefined): void {
    const { note } = this.#context.output;
    if (stopped !== undefined) note(describeReached('stopped', { ...stopped, undo: null }));
    const undo = this.#keeper?.undo ?? null;
    if (undo !== null) note(`undo: tq undo ${undo}`);
  }

  #protect(): Pick<Guards, 'onPlan' | 'readOnly' | 'protectedProfile'> {
    const { settings, output, host } = this.#context;
    const { profile, write, confirm, dryRun } = settings;
    if (profile?.isProtected !== true) return {};
    const askName = createAskName(host.askText, output, profile);
    return {
      readOnly: !write,
      protectedProfile: { name: profile.name, confirmed: confirm, ...(askName !== undefined && { askName }) },
      onPlan: () => {
        if (!dryRun) output.note(`profile ${formatProfile(profile)}`);
      },
    };
  }
}

function describeReached(what: string, { done, total, undo }: Reached): string {
  const jobs = total === null ? `${done ?? 0} jobs` : `${done ?? 0} of ${total} jobs`;
  const back = undo === null ? '' : `; \`tq undo ${undo}\` takes them back`;
  return `${what} after ${jobs}; the same command goes on with the rest${back}`;
}
