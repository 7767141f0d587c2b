import type { IQueueBackend } from 'bullmq';

/** The answer of a store that gives this job. */
export function gives(id: string): unknown[] {
  return [{ id, name: 'work' }, id, 0, 0];
}

export const NO_JOB = [null, '', 0, 0];

export interface FakeBackend {
  readonly backend: IQueueBackend;
  /** What was asked, in order. */
  readonly asked: string[];
  /** Answers in waiting, by method; a function is called, an Error is thrown. Without one, the answer is undefined. */
  readonly answers: Map<string, unknown[]>;
}

/** A backend that says what a test tells it to: the parts of it that the engine's wrappers touch. */
export function createFakeBackend(methods: readonly string[]): FakeBackend {
  const asked: string[] = [];
  const answers = new Map<string, unknown[]>();
  const ask = (method: string) => async (): Promise<unknown> => {
    asked.push(method);
    const answer = answers.get(method)?.shift();
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer() : answer;
  };
  const backend = Object.fromEntries(methods.map((method) => [method, ask(method)]));
  return { backend: { ...backend, closing: undefined } as unknown as IQueueBackend, asked, answers };
}
