import { createError, type TqError } from '../errors.ts';

/** Makes the error for a field of one entry: what is wrong with it, and what to write instead. */
export type ScheduleFault = (field: string, problem: string, remedy?: string) => TqError;

/** @param entry the name of the schedule entry that is read */
export function createScheduleFault(entry: string): ScheduleFault {
  return (field, problem, remedy = `correct ${field} of the entry`) =>
    createError('INVALID_SCHEDULE', { entry, field, problem, remedy });
}
