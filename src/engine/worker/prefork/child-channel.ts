import type { Duplex } from 'node:stream';
import { createError } from '../../core/errors.ts';
import { toStoredError } from '../../core/job.ts';
import type { AttemptJob } from '../attempt-job.ts';
import { LineSplitter } from './line-splitter.ts';
import { decodeFromChild, encodeMessage, type FromChild, type Question, type ToChild } from './protocol.ts';

/** Characters of one message; a string of Node holds twice as many. A longer one can only be nonsense. */
const MAX_MESSAGE = 256 * 1024 * 1024;
/** Questions of one child that may be under way at the store. Beyond it nothing is read, so that they wait in the child. */
const MAX_QUESTIONS = 100;

interface Listeners {
  readonly onMessage: (message: FromChild) => void;
  /** Something was written into the pipe that is no message: by a task, and nothing that follows could be trusted. */
  readonly onNonsense: () => void;
  readonly onClose: () => void;
}

/** The parent's end of the pipe to a child. */
export class ChildChannel {
  readonly #pipe: Duplex;
  readonly #listeners: Listeners;
  readonly #splitter = new LineSplitter(MAX_MESSAGE);
  #questions = 0;

  constructor(pipe: Duplex, listeners: Listeners) {
    this.#pipe = pipe;
    this.#listeners = listeners;
    pipe.setEncoding('utf8');
    pipe.on('data', (text: string) => this.#read(text));
    // Writing to a process that is gone fails; its end is told by the process itself.
    pipe.on('error', () => {});
    pipe.on('close', () => listeners.onClose());
  }

  send(message: ToChild): void {
    if (this.#pipe.writable) this.#pipe.write(encodeMessage(message));
  }

  /** Has the store of a job answer what its child wants of it; without a job it has ended. Never throws. */
  async answer(ask: number, question: Question, job: AttemptJob | undefined): Promise<void> {
    this.#questions += 1;
    if (this.#questions === MAX_QUESTIONS) this.#pipe.pause();
    try {
      if (job === undefined) throw new Error('the job has ended');
      this.send({ kind: 'answer', ask, value: await askStore(job, question) });
    } catch (error) {
      this.send({ kind: 'answer', ask, error: toStoredError(error) });
    } finally {
      if (this.#questions === MAX_QUESTIONS) this.#pipe.resume();
      this.#questions -= 1;
    }
  }

  #read(text: string): void {
    this.#splitter.push(text, (line) => {
      const message = decodeFromChild(line);
      if (message === undefined) this.#listeners.onNonsense();
      else this.#listeners.onMessage(message);
    });
    if (this.#splitter.isTooLong) this.#listeners.onNonsense();
  }
}

function askStore(job: AttemptJob, question: Question): Promise<unknown> {
  switch (question.about) {
    case 'progress':
      return job.updateProgress(question.value);
    case 'rows':
      return job.readLog();
    case 'member':
      return job.addMember?.(question.graph) ?? Promise.reject(createError('NO_GROUP', { task: job.task, id: job.id }));
  }
}
