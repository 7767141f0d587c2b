import { adding } from './contract/adding.ts';
import { atMostOnce } from './contract/at-most-once.ts';
import { checking } from './contract/checking.ts';
import { control } from './contract/control.ts';
import { events } from './contract/events.ts';
import { flows } from './contract/flows.ts';
import { foreign } from './contract/foreign.ts';
import { holding } from './contract/holding.ts';
import { ledger } from './contract/ledger.ts';
import { lettingGo } from './contract/letting-go.ts';
import { losing } from './contract/losing.ts';
import { movingBulk } from './contract/moving-bulk.ts';
import { outcomes } from './contract/outcomes.ts';
import { priorities } from './contract/priorities.ts';
import { purging } from './contract/purging.ts';
import { reading } from './contract/reading.ts';
import { recording } from './contract/recording.ts';
import { removingBulk } from './contract/removing-bulk.ts';
import { reprocessing } from './contract/reprocessing.ts';
import { reprocessingBulk } from './contract/reprocessing-bulk.ts';
import { resizing } from './contract/resizing.ts';
import { revoking } from './contract/revoking.ts';
import type { Subject } from './contract/rule.ts';
import { scanning } from './contract/scanning.ts';
import { schedules } from './contract/schedules.ts';
import { serving } from './contract/serving.ts';
import { sharing } from './contract/sharing.ts';
import { standing } from './contract/standing.ts';
import { state } from './contract/state.ts';
import { summarising } from './contract/summarising.ts';
import { taking } from './contract/taking.ts';
import { unique } from './contract/unique.ts';
import { waiting } from './contract/waiting.ts';

/** What every store promises (port.ts). A new store is right when it keeps all of it. */
export const contract: readonly Subject[] = [
  adding,
  unique,
  foreign,
  reading,
  standing,
  priorities,
  taking,
  outcomes,
  ledger,
  flows,
  reprocessing,
  recording,
  removingBulk,
  reprocessingBulk,
  movingBulk,
  sharing,
  resizing,
  serving,
  losing,
  atMostOnce,
  waiting,
  purging,
  checking,
  revoking,
  summarising,
  scanning,
  state,
  holding,
  lettingGo,
  control,
  events,
  schedules,
];
