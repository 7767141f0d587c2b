/**
 * Time as a dependency: the engine never asks the machine itself, so tests can stand still or jump.
 * Wall time (`now`) is for what is stored and compared between processes; monotonic time is for spans within one.
 */
export interface Clock {
  /** Epoch milliseconds of the wall clock. May jump. */
  now(): number;
  /** Milliseconds since an arbitrary start. Never goes back. */
  monotonic(): number;
}
