import { adding } from './contract/adding.ts';
import { outcomes } from './contract/outcomes.ts';
import { priorities } from './contract/priorities.ts';
import { reading } from './contract/reading.ts';
import type { Subject } from './contract/rule.ts';
import { taking } from './contract/taking.ts';

/** What every store promises (port.ts). A new store is right when it keeps all of it. */
export const contract: readonly Subject[] = [adding, reading, priorities, outcomes, taking];
