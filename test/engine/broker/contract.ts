import { adding } from './contract/adding.ts';
import { control } from './contract/control.ts';
import { foreign } from './contract/foreign.ts';
import { holding } from './contract/holding.ts';
import { lettingGo } from './contract/letting-go.ts';
import { losing } from './contract/losing.ts';
import { outcomes } from './contract/outcomes.ts';
import { priorities } from './contract/priorities.ts';
import { purging } from './contract/purging.ts';
import { reading } from './contract/reading.ts';
import { resizing } from './contract/resizing.ts';
import type { Subject } from './contract/rule.ts';
import { sharing } from './contract/sharing.ts';
import { state } from './contract/state.ts';
import { taking } from './contract/taking.ts';
import { waiting } from './contract/waiting.ts';

/** What every store promises (port.ts). A new store is right when it keeps all of it. */
export const contract: readonly Subject[] = [
  adding,
  foreign,
  reading,
  priorities,
  taking,
  outcomes,
  sharing,
  resizing,
  losing,
  waiting,
  purging,
  state,
  holding,
  lettingGo,
  control,
];
