import { randomUUID } from 'node:crypto';
import type { StateStore } from '../../engine/broker/state-port.ts';
import { TqError } from '../../engine/core/errors.ts';

const KEY = 'broker/id';

/** The id that a broker keeps of itself, under whatever name it is reached; null when it has none. */
export async function readBrokerId(state: StateStore): Promise<string | null> {
  try {
    return (await state.read(KEY))?.value ?? null;
  } catch (error) {
    // A store of plain BullMQ may have no place for it.
    if (error instanceof TqError && error.code === 'BROKER_UNSUITABLE') return null;
    throw error;
  }
}

/** As `readBrokerId`, and gives it one if it has none: for who changes something. */
export async function ensureBrokerId(state: StateStore): Promise<string | null> {
  const id = await readBrokerId(state);
  if (id !== null) return id;
  try {
    await state.write(KEY, randomUUID(), { expected: null });
  } catch (error) {
    if (error instanceof TqError && error.code === 'BROKER_UNSUITABLE') return null;
    throw error;
  }
  // Another one may have been first.
  return await readBrokerId(state);
}
