import type { Operator } from '../operator.ts';
import type { RunAbout } from '../run-record.ts';
import type { Session } from '../session.ts';
import type { ClosableKeeper } from '../undo-keeper.ts';
import { ensureBrokerId } from './broker-id.ts';
import type { UndoPlace } from './bundle-folder.ts';
import { BUNDLE_VERSION } from './bundle-format.ts';
import { createUndoKeeper } from './create-undo-keeper.ts';

/** The keeper of one run, which writes its bundle on this machine. */
export function createRunKeeper(
  session: Session,
  { id, operation, command, at }: RunAbout,
  { place, operator, warn }: { place: UndoPlace; operator: Operator; warn: (text: string) => void },
): ClosableKeeper {
  return createUndoKeeper({
    ...place,
    ...{ id, warn, now: () => session.clock.now() },
    async readHeader() {
      const broker = await session.broker();
      return {
        ...{ v: BUNDLE_VERSION, id, operation, at, commandLine: command, ...operator, pid: process.pid },
        broker: broker.url,
        brokerId: await ensureBrokerId(broker.state),
      };
    },
  });
}
