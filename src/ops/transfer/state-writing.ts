import type { StateEntry, StateStore } from '../../engine/broker/state-port.ts';

/** Writes a record of another broker; one that is there already stays, for its jobs may have gone on. */
export async function writeStateRecord(
  state: StateStore,
  { key, value, leftMs }: Pick<StateEntry, 'key' | 'value' | 'leftMs'>,
): Promise<void> {
  await state.write(key, value, { expected: null, ...(leftMs !== null && { ttlMs: Math.max(1, Math.ceil(leftMs)) }) });
}

const PAGE = 500;

/** Copies all records whose keys begin so, the last first. */
export async function copyState(source: StateStore, target: StateStore, prefix: string): Promise<void> {
  let before: string | undefined;
  for (;;) {
    const page = await source.listBack(prefix, PAGE, before);
    for (const entry of page) await writeStateRecord(target, entry);
    before = page.at(-1)?.key;
    if (page.length < PAGE) return;
  }
}
