/**
 * Every error that tq can show: its code, what it says and what to do next.
 *
 * An entry has the shape `(facts) => { message, next }`. The message says what was being done and to what; `next`
 * is the one step that most often mends it. `exit` is the process exit code when a command ends with this error
 * (cli.md: 1 failed, 2 usage, 3 not found, 4 timed out, 69 broker or workers unavailable).
 *
 * `docs/errors.md` is generated from this table, and a test produces every code at least once.
 */

export type ExitCode = 1 | 2 | 3 | 4 | 69;

export interface ErrorText {
  readonly message: string;
  readonly next: string;
}

interface Entry<Facts> {
  /** The name of the error class; the code of the entry is its key. */
  readonly name: string;
  readonly exit: ExitCode;
  /** One line for the error table: when this happens. */
  readonly when: string;
  readonly text: (facts: Facts) => ErrorText;
}

const entry = <Facts>(value: Entry<Facts>): Entry<Facts> => value;

/** ", did you mean a or b?" for a list of near names; empty when there are none. */
export function suggestion(near: readonly string[]): string {
  return near.length === 0 ? '' : `; did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
}

export const catalogue = {
  USAGE: entry<{ message: string; next: string }>({
    name: 'UsageError',
    exit: 2,
    when: 'a command was called with arguments that it does not take',
    text: (facts) => facts,
  }),
  UNKNOWN_COMMAND: entry<{ command: string; near: readonly string[] }>({
    name: 'UsageError',
    exit: 2,
    when: 'a command does not exist',
    text: ({ command, near }) => ({
      message: `unknown command "${command}"${suggestion(near)}`,
      next: 'run `tq --help` for the list of commands',
    }),
  }),
  INVALID_CONFIG: entry<{ source: string; mistakes: readonly string[] }>({
    name: 'InvalidConfig',
    exit: 2,
    when: 'the configuration (file, environment, flags or createApp options) has mistakes; all of them are named',
    text: ({ source, mistakes }) => ({
      message: `${source} has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((line) => `  - ${line}`).join('\n')}`,
      next: 'correct the lines above; docs/configuration.md lists every setting',
    }),
  }),
  INVALID_DURATION: entry<{ given: string; what: string }>({
    name: 'InvalidDuration',
    exit: 2,
    when: 'a duration is neither milliseconds nor a text such as 250ms, 30s, 5m, 2h, 7d',
    text: ({ given, what }) => ({
      message: `${what} must be a duration, got ${given}`,
      next: 'write milliseconds as a number, or 250ms, 30s, 5m, 2h, 7d; between 0 and 3650d',
    }),
  }),
  INVALID_OPTION: entry<{ what: string; expected: string; given: string }>({
    name: 'InvalidOption',
    exit: 2,
    when: 'an option of a task, a call or a worker has a value it cannot have',
    text: ({ what, expected, given }) => ({
      message: `${what} must be ${expected}, got ${given}`,
      next: `give ${expected}`,
    }),
  }),
  UNKNOWN_OPTION: entry<{ what: string; option: string; near: readonly string[]; known: readonly string[] }>({
    name: 'InvalidOption',
    exit: 2,
    when: 'an option does not exist',
    text: ({ what, option, near, known }) => ({
      message: `${what} has no option "${option}"${suggestion(near)}`,
      next: `the options are ${known.join(', ')}`,
    }),
  }),
  ENTRY_UNREADABLE: entry<{ entry: string; reason: string }>({
    name: 'EntryUnreadable',
    exit: 1,
    when: 'a stored schedule entry cannot be read: another version of tq wrote it, or another program',
    text: ({ entry, reason }) => ({
      message: `cannot read the schedule entry "${entry}": ${reason}`,
      next: `use a version of tq not older than the one that stored it, or remove it with \`tq schedule remove ${entry}\` and add it again`,
    }),
  }),
  UNKNOWN_ENTRY: entry<{ entry: string; near: readonly string[] }>({
    name: 'UnknownEntry',
    exit: 3,
    when: 'there is no schedule entry of this name on the broker',
    text: ({ entry: name, near }) => ({
      message: `there is no schedule entry "${name}" on this broker${suggestion(near)}`,
      next: 'run `tq schedule list` for the list',
    }),
  }),
  ENTRY_EXISTS: entry<{ entry: string; by: string; remedy: string }>({
    name: 'EntryExists',
    exit: 1,
    when: 'a schedule entry is added or declared under a name that is taken',
    text: ({ entry: name, by, remedy }) => ({
      message: `cannot add the schedule entry "${name}": the name is taken by ${by}`,
      next: remedy,
    }),
  }),
  ENTRY_CHANGED: entry<{ entry: string }>({
    name: 'EntryChanged',
    exit: 1,
    when: 'somebody else changed a schedule entry at the same moment; nothing was changed',
    text: ({ entry: name }) => ({
      message: `the schedule entry "${name}" was changed by somebody else at the same moment`,
      next: `look at it with \`tq schedule show ${name}\`, and try again`,
    }),
  }),
  FOREIGN_ENTRY: entry<{ doing: string; entry: string; queue: string }>({
    name: 'ForeignEntry',
    exit: 2,
    when: 'a job scheduler that plain BullMQ made is asked for what only an entry of tq can do',
    text: ({ doing, entry: name, queue }) => ({
      message: `cannot ${doing} "${name}": it is a job scheduler that plain BullMQ made in queue "${queue}"`,
      next: 'it can be shown and removed here; change it in the program that made it',
    }),
  }),
  INVALID_ENTRY_NAME: entry<{ given: string }>({
    name: 'InvalidEntryName',
    exit: 2,
    when: 'the name of a schedule entry has characters that it cannot have, or too many',
    text: ({ given }) => ({
      message: `${given} cannot be the name of a schedule entry`,
      next: 'give 1 to 100 letters, digits, dots, underscores, dashes and slashes, for example reports/nightly',
    }),
  }),
  INVALID_SCHEDULE: entry<{ entry: string; field: string; problem: string; remedy: string }>({
    name: 'InvalidSchedule',
    exit: 2,
    when: 'a schedule entry says wrongly when it fires, or never fires',
    text: ({ entry: name, field, problem, remedy }) => ({
      message: `schedule entry "${name}": ${field}: ${problem}`,
      next: remedy,
    }),
  }),
  INVALID_QUERY: entry<{ problem: string; text: string; marks: string }>({
    name: 'InvalidQuery',
    exit: 2,
    when: 'a query such as that of --where cannot be read',
    text: ({ problem, text, marks }) => ({
      message: `cannot read the query: ${problem}\n  ${text}\n  ${marks}`,
      next: 'write terms such as task:email.* error~timeout -queue:low, and OR between alternatives; see docs/queries.md',
    }),
  }),
  APP_NOT_FOUND: entry<{ file: string; folder?: boolean; near?: readonly string[] }>({
    name: 'AppNotFound',
    exit: 2,
    when: 'the file given as the app does not exist, or is a folder',
    text: ({ file, folder = false, near = [] }) => ({
      message: `cannot load the app: ${folder ? `${file} is a folder` : `there is no file ${file}`}${suggestion(near)}`,
      next: 'give the path of the module that exports your app with --app, TQ_APP or `app` in tq.config',
    }),
  }),
  APP_FAILED: entry<{ file: string; reason: string; next?: string }>({
    name: 'AppFailed',
    exit: 1,
    when: 'the app module threw while it was imported',
    text: ({ file, reason, next }) => ({
      message: `cannot load the app: ${file} threw while it was imported: ${reason}`,
      next: next ?? `run \`node ${file}\` to see the whole stack`,
    }),
  }),
  APP_NOT_EXPORTED: entry<{ file: string; exported: readonly string[]; apps?: readonly string[] }>({
    name: 'AppNotExported',
    exit: 2,
    when: 'the app module exports no app, or several and none as default or `app`',
    text: ({ file, exported, apps = [] }) => ({
      message:
        apps.length > 1
          ? `cannot load the app: ${file} exports several apps: ${apps.join(', ')}`
          : `cannot load the app: ${file} exports ${exported.length === 0 ? 'nothing' : `${exported.join(', ')}, but no app`}`,
      next: 'export the value of createApp() as default or as `app`',
    }),
  }),
  BROKER_URL_INVALID: entry<{ url: string; reason: string }>({
    name: 'InvalidBrokerUrl',
    exit: 2,
    when: 'a broker URL cannot be read',
    text: ({ url, reason }) => ({
      message: `cannot use the broker URL ${url}: ${reason}`,
      next: 'use sqlite:PATH, redis://, rediss://, redis+sentinel://, redis+cluster:// or postgres://, for example sqlite:jobs.db or redis://localhost:6379/0',
    }),
  }),
  BROKER_UNAVAILABLE: entry<{ url: string; doing: string; reason: string; causes: string }>({
    name: 'BrokerUnavailable',
    exit: 69,
    when: 'the broker cannot be reached, or was lost and did not come back in time',
    text: ({ url, doing, reason, causes }) => ({
      message: `${doing}: cannot connect to the broker ${url}: ${reason}`,
      next: causes,
    }),
  }),
  BROKER_UNSUITABLE: entry<{ url: string; reason: string; remedy: string }>({
    name: 'BrokerUnsuitable',
    exit: 69,
    when: 'the broker answers but cannot be used: too old, or its schema is missing or too new',
    text: ({ url, reason, remedy }) => ({ message: `the broker ${url} cannot be used: ${reason}`, next: remedy }),
  }),
  DATABASE_LOCKED: entry<{ url: string; waitedMs: number }>({
    name: 'DatabaseLocked',
    exit: 69,
    when: 'another process holds the write lock of a SQLite broker for longer than the busy timeout',
    text: ({ url, waitedMs }) => ({
      message: `cannot write to ${url}: another process has held its lock for ${waitedMs} ms`,
      next: 'find what holds it, such as an open transaction in a SQLite shell or a backup, or raise ?busyTimeout=; what was acknowledged is kept',
    }),
  }),
  DATABASE_FULL: entry<{ url: string }>({
    name: 'DatabaseFull',
    exit: 69,
    when: 'the disk of a SQLite broker is full',
    text: ({ url }) => ({
      message: `cannot write to ${url}: the disk is full`,
      next: 'free space on that disk; what was acknowledged is kept, and workers go on by themselves',
    }),
  }),
  RESULTS_URL_INVALID: entry<{ url: string; reason: string }>({
    name: 'InvalidResultsUrl',
    exit: 2,
    when: 'the URL of a result store cannot be read',
    text: ({ url, reason }) => ({
      message: `cannot use the URL ${url} for results: ${reason}`,
      next: 'use postgres://user:password@host/database or sqlite:PATH, for example sqlite:results.db',
    }),
  }),
  RESULTS_UNAVAILABLE: entry<{ url: string; doing: string; reason: string; next: string }>({
    name: 'ResultsUnavailable',
    exit: 69,
    when: 'the result store cannot be reached, is locked, or cannot be written to',
    text: ({ url, doing, reason, next }) => ({
      message: `${doing}: the result store ${url} does not do it: ${reason}`,
      next,
    }),
  }),
  RESULTS_UNSUITABLE: entry<{ url: string; reason: string; remedy: string }>({
    name: 'ResultsUnsuitable',
    exit: 69,
    when: 'the result store answers but cannot be used: its tables are missing, older or newer, or are those of another program',
    text: ({ url, reason, remedy }) => ({
      message: `the result store ${url} cannot be used: ${reason}`,
      next: remedy,
    }),
  }),
  RESULTS_OFF: entry<{ doing: string }>({
    name: 'ResultsOff',
    exit: 2,
    when: 'the history of results is asked for, and they are kept in the broker alone',
    text: ({ doing }) => ({
      message: `${doing}: there is no result store; results are kept in the broker alone`,
      next: 'name one with --results, TQ_RESULTS_URL, `results` in tq.config or of createApp(); see docs/results.md',
    }),
  }),
  INVALID_ARGUMENTS: entry<{ task: string; problems: readonly string[]; where: string }>({
    name: 'InvalidArguments',
    exit: 2,
    when: 'the arguments of a call do not fit the schema of its task',
    text: ({ task, problems, where }) => ({
      message: `${where} task "${task}": the arguments do not fit its schema: ${problems.join('; ')}`,
      next: 'correct the arguments and call the task again',
    }),
  }),
  NOT_JSON: entry<{ what: string; path: string; problem: string }>({
    name: 'NotJson',
    exit: 2,
    when: 'an argument or a result holds a value that JSON cannot carry',
    text: ({ what, path, problem }) => ({
      message: `${what} cannot be written as JSON: ${path} is ${problem}`,
      next: 'convert the value first, for example with String(bigint), date.toISOString() or Object.fromEntries(map)',
    }),
  }),
  PAYLOAD_TOO_LARGE: entry<{ task: string; bytes: number; limit: number }>({
    name: 'PayloadTooLarge',
    exit: 2,
    when: 'the arguments of a call are larger than the payload limit',
    text: ({ task, bytes, limit }) => ({
      message: `calling task "${task}": its payload has ${bytes} bytes, the limit is ${limit}`,
      next: 'put the data into a file or an object store and send its name, or raise `payloadLimit` in createApp()',
    }),
  }),
  PRIORITIES_OFF: entry<{ queue: string; task: string }>({
    name: 'PrioritiesOff',
    exit: 2,
    when: 'a call asks for a priority on a queue that has none',
    text: ({ queue, task }) => ({
      message: `calling task "${task}": queue "${queue}" has no priorities, so a priority cannot be given`,
      next: `declare the queue as { name: '${queue}', priorities: true } in createApp(), or leave the priority out`,
    }),
  }),
  UNKNOWN_TASK: entry<{ task: string; near: readonly string[]; next?: string }>({
    name: 'UnknownTask',
    exit: 2,
    when: 'a task is not registered',
    text: ({ task, near, next }) => ({
      message: `no task "${task}" is registered${suggestion(near)}`,
      next: next ?? 'register it with app.task(), or load the app that does with --app',
    }),
  }),
  UNKNOWN_QUEUE: entry<{ queue: string; near: readonly string[] }>({
    name: 'UnknownQueue',
    exit: 3,
    when: 'a queue does not exist on the broker',
    text: ({ queue, near }) => ({
      message: `there is no queue "${queue}" on this broker${suggestion(near)}`,
      next: 'run `tq inspect queues` for the list',
    }),
  }),
  UNKNOWN_JOB: entry<{ id: string }>({
    name: 'UnknownJob',
    exit: 3,
    when: 'no queue of the broker holds a job with this id',
    text: ({ id }) => ({
      message: `no queue holds a job with the id "${id}"`,
      next: 'check the id and the broker; results are removed after their expiry (24 h by default)',
    }),
  }),
  NOT_DEAD_LETTER: entry<{ id: string; state: string }>({
    name: 'NotDeadLetter',
    exit: 1,
    when: 'a command about dead letters was given a job that is none',
    text: ({ id, state }) => ({
      message: `job ${id} is no dead letter: its state is ${state}`,
      next: `\`tq jobs show ${id}\` shows it whatever its state is`,
    }),
  }),
  AMBIGUOUS_JOB: entry<{ id: string; queues: readonly string[] }>({
    name: 'AmbiguousJob',
    exit: 2,
    when: 'several queues hold a job with this number; BullMQ numbers the jobs of each queue by itself',
    text: ({ id, queues }) => ({
      message: `the queues ${queues.join(', ')} each hold a job ${id}`,
      next: 'name one of them with --queue',
    }),
  }),
  UNDECLARED_QUEUE: entry<{ queue: string; near: readonly string[]; declared: readonly string[] }>({
    name: 'InvalidOption',
    exit: 2,
    when: 'a worker or a call names a queue that the app does not declare',
    text: ({ queue, near, declared }) => ({
      message: `the app declares no queue "${queue}"${suggestion(near)}`,
      next: `use one of ${declared.join(', ')}, or add it to \`queues\` in createApp()`,
    }),
  }),
  DUPLICATE_TASK: entry<{ task: string }>({
    name: 'DuplicateTask',
    exit: 2,
    when: 'two tasks are registered under one name',
    text: ({ task }) => ({
      message: `a task "${task}" is registered already`,
      next: 'give one of the two another name; a built-in task is replaced by `builtins: false` or { override: true }',
    }),
  }),
  TASK_FAILED: entry<{ id: string; task: string; error: string }>({
    name: 'TaskFailed',
    exit: 1,
    when: 'a result was asked for and the job is a dead letter',
    text: ({ id, task, error }) => ({
      message: `job ${id} of task "${task}" failed: ${error}`,
      next: `run \`tq jobs show ${id}\` for its attempts and its stack`,
    }),
  }),
  TASK_REVOKED: entry<{ id: string; task: string; reason: string }>({
    name: 'TaskRevoked',
    exit: 1,
    when: 'the result of a revoked or expired job was asked for; the reason of the signal of a running one',
    text: ({ id, task, reason }) => ({
      message: `job ${id} of task "${task}" was revoked: ${reason}`,
      next: 'call the task again if it is still wanted',
    }),
  }),
  RESULT_TIMEOUT: entry<{ id: string; waitedMs: number; state: string }>({
    name: 'ResultTimeout',
    exit: 4,
    when: 'a result was not there within the time given',
    text: ({ id, waitedMs, state }) => ({
      message: `waited ${waitedMs} ms for job ${id}, it is ${state}`,
      next: 'wait longer; the job goes on: `tq result ID --wait` asks again',
    }),
  }),
  SOFT_TIME_LIMIT: entry<{ task: string; limitMs: number }>({
    name: 'SoftTimeLimitExceeded',
    exit: 1,
    when: 'a task ran longer than its soft time limit (the reason of its aborted signal)',
    text: ({ task, limitMs }) => ({
      message: `task "${task}" ran longer than its soft time limit of ${limitMs} ms`,
      next: 'end early when context().signal aborts, or raise softTimeLimit',
    }),
  }),
  TIME_LIMIT: entry<{ task: string; limitMs: number }>({
    name: 'TimeLimitExceeded',
    exit: 1,
    when: 'a task ran longer than its time limit',
    text: ({ task, limitMs }) => ({
      message: `task "${task}" ran longer than its time limit of ${limitMs} ms`,
      next: 'raise timeLimit, or make the task stop when context().signal aborts',
    }),
  }),
  WORKER_LOST: entry<{ task: string; times: number; how?: string; next?: string }>({
    name: 'WorkerLost',
    exit: 1,
    when: 'the worker or the child process that ran a job died, more often than a job may be taken up again',
    text: ({ task, times, how, next }) => ({
      message:
        how === undefined
          ? `the worker that ran task "${task}" died or lost its lock ${times} times`
          : `the process that ran task "${task}" died: ${how}; workers lost by this job: ${times}`,
      next:
        next ?? 'look for out-of-memory kills and for code that blocks the event loop longer than the lock duration',
    }),
  }),
  NOT_RUN_AGAIN: entry<{ task: string; how: string }>({
    name: 'NotRunAgain',
    exit: 1,
    when: 'a job of a task with `delivery: at-most-once` was started, or may have been, and its attempt did not end',
    text: ({ task, how }) => ({
      message: `the attempt of task "${task}" did not end: ${how}; its delivery is at-most-once, so it is not run again`,
      next: 'find out how far it came, and call the task again if it must be done',
    }),
  }),
  CHILD_FAILED: entry<{ how: string; next?: string }>({
    name: 'ChildFailed',
    exit: 1,
    when: 'a child process of a worker could not be started, or ended before it could take jobs',
    text: ({ how, next }) => ({
      message: `a child process of the worker did not start: ${how}`,
      next: next ?? 'look at its output in the log; the app module must be importable and must not end the process',
    }),
  }),
  WORKER_IN_CHILD: entry<Record<never, never>>({
    name: 'WorkerInChild',
    exit: 2,
    when: 'the module that the children of a worker load makes a worker itself',
    text: () => ({
      message: 'a worker cannot be made in a child process of a worker',
      next: 'make the worker in a file of its own, and give `module` the file that only creates the app and its tasks',
    }),
  }),
  WORKER_STOPPING: entry<{ worker: string }>({
    name: 'WorkerStopping',
    exit: 1,
    when: 'the reason of context().signal when the worker stops and its shutdown timeout has passed',
    text: ({ worker }) => ({
      message: `worker ${worker} is stopping; the job goes back to its queue`,
      next: 'end early: the next worker starts the attempt again, none is charged',
    }),
  }),
  AUTOSCALE_ON: entry<{ worker: string }>({
    name: 'AutoscaleOn',
    exit: 1,
    when: 'the number of slots of a worker that changes it by need was to be set by hand',
    text: ({ worker }) => ({
      message: `worker ${worker} changes its number of slots by need (--autoscale), so it cannot be set by hand`,
      next: 'change its bounds with `tq control autoscale MAX MIN`',
    }),
  }),
  AUTOSCALE_OFF: entry<{ worker: string }>({
    name: 'AutoscaleOff',
    exit: 1,
    when: 'the bounds of autoscale were to be changed on a worker that was started without it',
    text: ({ worker }) => ({
      message: `worker ${worker} was not started with --autoscale, so it has no bounds to change`,
      next: 'use `tq control pool-grow` and `pool-shrink`, or start it with --autoscale MAX,MIN',
    }),
  }),
  WORKER_NAME_TAKEN: entry<{ worker: string; host: string; pid: number; since: string }>({
    name: 'WorkerNameTaken',
    exit: 1,
    when: 'a worker was started under a name that a live worker has',
    text: ({ worker, host, pid, since }) => ({
      message: `the name "${worker}" is taken by a live worker: process ${pid} on ${host}, since ${since}`,
      next: 'give each worker a name of its own with -n, for example tq%n@%h: %h is the host, %p the process id, %n the first free number',
    }),
  }),
  HEALTH_PORT_REFUSED: entry<{ host: string; port: number; reason: string }>({
    name: 'HealthPortRefused',
    exit: 1,
    when: 'the health port of a worker or a beat cannot be opened, as when another process listens on it; it does not start',
    text: ({ host, port, reason }) => ({
      message: `the health port ${port} of ${host} cannot be opened: ${reason}`,
      next: 'give --health-port another port (0 takes a free one), or correct --health-host',
    }),
  }),
  PIDFILE_REFUSED: entry<{ path: string; reason: string; next: string }>({
    name: 'PidfileRefused',
    exit: 1,
    when: 'the file of --pidfile names a process that lives, holds something else, or cannot be written; the worker or beat does not start',
    text: ({ path, reason, next }) => ({ message: `the pidfile ${path} is refused: ${reason}`, next }),
  }),
  UNKNOWN_CONTROL: entry<{ worker: string; command: string; near: readonly string[] }>({
    name: 'UnknownControl',
    exit: 1,
    when: 'a worker was asked for a control command that it does not have',
    text: ({ worker, command, near }) => ({
      message: `worker ${worker} has no control command "${command}"${suggestion(near)}`,
      next: 'start the worker with a version of tq or of the app that has it',
    }),
  }),
  REPLY_TOO_LARGE: entry<{ worker: string; command: string; bytes: number; limit: number }>({
    name: 'ReplyTooLarge',
    exit: 1,
    when: 'the answer of a worker to a control command is larger than a message may be',
    text: ({ worker, command, bytes, limit }) => ({
      message: `the answer of worker ${worker} to "${command}" has ${bytes} bytes, the limit is ${limit}`,
      next: 'ask for less; for a custom command, answer with less',
    }),
  }),
  LOCK_LOST: entry<{ id: string; reason: string }>({
    name: 'LockLost',
    exit: 1,
    when: 'a worker finished a job whose lock it had lost meanwhile; what came of it here may be lost (seen in the log)',
    text: ({ id, reason }) => ({
      message: `job ${id} ended here, but it is not held by this worker any more: ${reason}; what came of it here may be lost`,
      next: 'unless it was stored before the lock was lost, another worker runs it again; raise --lock-duration if tasks block the event loop for long',
    }),
  }),
  UNKNOWN_TASK_GIVEN_UP: entry<{ task: string; asked: readonly string[]; times: number }>({
    name: 'UnknownTask',
    exit: 1,
    when: 'a job was put back again and again because no worker of its queue registers its task',
    text: ({ task, asked, times }) => ({
      message: `no worker registers task "${task}"; the job was put back ${times} times; asked: ${asked.join(', ')}`,
      next: 'start a worker that registers the task, then retry the dead letter',
    }),
  }),
  CONCURRENCY_KEY_FAILED: entry<{ task: string; reason: string }>({
    name: 'ConcurrencyKeyFailed',
    exit: 1,
    when: "the key function of a task's concurrency limit threw, or gave neither a text nor a number: the job is a dead letter",
    text: ({ task, reason }) => ({
      message: `the key of the concurrency limit of task "${task}" cannot be told for this job: ${reason}`,
      next: 'correct `concurrency.key` of the task: it gets the arguments as they were sent; then retry the dead letter',
    }),
  }),
  INVALID_PAYLOAD: entry<{ problem: string }>({
    name: 'InvalidPayload',
    exit: 1,
    when: 'a job in the queue holds data that is not JSON',
    text: ({ problem }) => ({
      message: `the data of the job cannot be read: ${problem}`,
      next: 'find the producer that wrote it; the data is kept as it was',
    }),
  }),
  REJECTED: entry<{ task: string; reason: string }>({
    name: 'Reject',
    exit: 1,
    when: 'a task threw Reject: the job is a dead letter at once',
    text: ({ task, reason }) => ({
      message: `task "${task}" rejected the job: ${reason}`,
      next: 'correct the cause and retry the dead letter',
    }),
  }),
  NO_CONTEXT: entry<Record<never, never>>({
    name: 'NoContext',
    exit: 1,
    when: 'context() was called outside a running task',
    text: () => ({
      message: 'context() was called outside a running task',
      next: 'call it from the task function or from code that the task awaits; in unit tests use runTask() of taskq/testing',
    }),
  }),
  ALREADY_CLOSED: entry<{ what: string }>({
    name: 'AlreadyClosed',
    exit: 1,
    when: 'something was used after it was closed',
    text: ({ what }) => ({ message: `${what} is closed`, next: 'create a new one; close() is final' }),
  }),
  NEEDS_CONFIRMATION: entry<{ operation: string; count: number; things?: string | undefined }>({
    name: 'NeedsConfirmation',
    exit: 2,
    when: 'a destructive command runs without a terminal to ask on and without --yes',
    text: ({ operation, count, things = 'jobs' }) => ({
      message: `${operation} would touch ${count} ${things} and nobody can be asked here`,
      next: 'add --yes to go on, or --dry-run to only look',
    }),
  }),
  NOT_CONFIRMED: entry<{ operation: string }>({
    name: 'NotConfirmed',
    exit: 1,
    when: 'the question of a destructive command was answered with no',
    text: ({ operation }) => ({
      message: `${operation} was not confirmed; nothing was changed`,
      next: 'run it again and answer y',
    }),
  }),
  READ_ONLY: entry<{ operation: string; profile?: string | undefined }>({
    name: 'ReadOnly',
    exit: 2,
    when: 'an operation that changes something was asked for in a session that may only read',
    text: ({ operation, profile }) => ({
      message:
        profile === undefined
          ? `${operation} changes the broker and this session may only read; nothing was changed`
          : `${operation} changes the broker and the profile ${profile} is protected; nothing was changed`,
      next:
        profile === undefined
          ? 'add --dry-run to only look, or run it from a session that may write'
          : 'add --write to change it, or --dry-run to only look',
    }),
  }),
  NAME_NOT_CONFIRMED: entry<{ operation: string; count: number; name: string }>({
    name: 'NameNotConfirmed',
    exit: 2,
    when: 'a command would remove more than 100 jobs of a protected profile, and the name that it asks for was not given',
    text: ({ operation, count, name }) => ({
      message: `${operation} would remove ${count} jobs of a protected profile, and "${name}" was not typed; nothing was changed`,
      next: `type ${name} when you are asked; a script gives --confirm ${name}`,
    }),
  }),
  UNKNOWN_PROFILE: entry<{ profile: string; near: readonly string[] }>({
    name: 'UnknownProfile',
    exit: 3,
    when: 'a profile that is asked for is in neither the list of `tq profile` nor the config file',
    text: ({ profile, near }) => ({
      message: `there is no profile "${profile}"${suggestion(near)}`,
      next: '`tq profile list` shows them; `tq profile add NAME --broker URL` adds one',
    }),
  }),
  PROFILES_UNREADABLE: entry<{ path: string; reason: string }>({
    name: 'ProfilesUnreadable',
    exit: 2,
    when: 'the file of the profiles cannot be read or written',
    text: ({ path, reason }) => ({
      message: `cannot use the profiles in ${path}: ${reason}`,
      next: 'correct the file or remove it; `tq profile add NAME --broker URL` makes a new one',
    }),
  }),
  UNDO_NOT_KEPT: entry<{ dir: string; reason: string; why: 'cap' | 'disk'; kept: number; id: string }>({
    name: 'UndoNotKept',
    exit: 1,
    when: 'jobs cannot be kept for an undo before they are changed: the folder is full or cannot be written; they are left alone',
    text: ({ dir, reason, why, kept, id }) => ({
      message: `cannot keep jobs for an undo in ${dir}: ${reason}; ${
        kept === 0
          ? 'nothing was changed'
          : `${kept} jobs had been kept and changed before, \`tq undo ${id}\` takes that back; the others were left alone`
      }`,
      next: `${
        why === 'cap' ? 'allow more with TQ_UNDO_MAX=4GB' : 'make room there, or name another folder with TQ_UNDO_DIR'
      }, or go without an undo with --no-undo; the same command then goes on with the rest`,
    }),
  }),
  UNKNOWN_UNDO: entry<{ id: string; near: readonly string[] }>({
    name: 'UnknownUndo',
    exit: 3,
    when: 'nothing was kept under the id that `tq undo` was given, or it has been removed since',
    text: ({ id, near }) => ({
      message: `there is nothing to undo under the id ${id}${suggestion(near)}`,
      next: '`tq undo` lists what can be undone; it is kept for 7 days by default',
    }),
  }),
  UNDO_ELSEWHERE: entry<{ id: string; host: string; path: string }>({
    name: 'UndoElsewhere',
    exit: 1,
    when: 'what is to be undone was kept on another machine, or in another folder',
    text: ({ id, host, path }) => ({
      message: `what ${id} changed was kept on ${host}, in ${path}, and not in the folder of undo bundles here`,
      next: `run \`tq undo ${id}\` on ${host}, or copy the file into the folder of TQ_UNDO_DIR`,
    }),
  }),
  UNDO_UNREADABLE: entry<{ path: string; reason: string }>({
    name: 'UndoUnreadable',
    exit: 1,
    when: 'an undo bundle cannot be read',
    text: ({ path, reason }) => ({
      message: `cannot read the undo bundle ${path}: ${reason}`,
      next: 'put a whole copy of the file in its place, or use the tq that wrote it; nothing was changed',
    }),
  }),
  UNDO_DONE: entry<{ id: string; by: string }>({
    name: 'UndoDone',
    exit: 1,
    when: 'an operation is to be undone that has been undone already',
    text: ({ id, by }) => ({
      message: `${id} has been undone already, by ${by}`,
      next: `\`tq undo ${by}\` takes that back; --force looks again for jobs that are not as they were`,
    }),
  }),
  UNDO_OTHER_BROKER: entry<{ id: string; was: string; is: string }>({
    name: 'UndoOtherBroker',
    exit: 2,
    when: 'an operation is to be undone on another broker than it ran on',
    text: ({ id, was, is }) => ({
      message: `${id} ran on the broker ${was}, and this one is ${is}; nothing was changed`,
      next: 'name that broker with --broker; if it is the same one under another name, add --force',
    }),
  }),
  EXPORT_REFUSED: entry<{ path: string; reason: string; code: string }>({
    name: 'ExportRefused',
    exit: 1,
    when: 'jobs cannot be exported to the file that was named',
    text: ({ path, reason, code }) => ({
      message: `cannot write jobs to ${path}: ${reason}`,
      next:
        code === 'EEXIST'
          ? 'name another file, or add --force to replace it'
          : 'name another file with --output, or make room; nothing was changed in the broker',
    }),
  }),
  IMPORT_UNREADABLE: entry<{ path: string; reason: string }>({
    name: 'ImportUnreadable',
    exit: 1,
    when: 'the file that jobs are to be imported from cannot be read',
    text: ({ path, reason }) => ({
      message: `cannot read jobs from ${path}: ${reason}`,
      next: 'name a file that `tq jobs export` wrote, or - for stdin; nothing was stored',
    }),
  }),
  IMPORT_INVALID: entry<{ path: string; line: number; reason: string; stored: boolean }>({
    name: 'ImportInvalid',
    exit: 1,
    when: 'a line of the file that jobs are to be imported from is no job that can be stored',
    text: ({ path, line, reason, stored }) => ({
      message: `cannot import line ${line} of ${path}: ${reason}; ${
        stored ? 'the file was changed while it was read, and some of its jobs are stored' : 'nothing was stored'
      }`,
      next: 'mend the line or export it again; --skip-invalid imports the others and names those that are left out',
    }),
  }),
  SAME_BROKER: entry<{ from: string; to: string }>({
    name: 'SameBroker',
    exit: 2,
    when: 'jobs are to be migrated from a broker to itself',
    text: ({ from, to }) => ({
      message: `cannot move jobs from ${from} to ${to}: they are the same broker; nothing was changed`,
      next: 'name two brokers; a copy of a SQLite file counts as the same one, so move into a new file',
    }),
  }),
  MIGRATION_BUSY: entry<{ queues: readonly string[]; ids: readonly string[]; waitedMs: number }>({
    name: 'MigrationBusy',
    exit: 4,
    when: 'jobs still run in a queue that is to be migrated when the time to wait for them is over',
    text: ({ queues, ids, waitedMs }) => ({
      message: `jobs still run in ${queues.join(', ')} after ${waitedMs} ms: ${ids.join(', ')}; no job was moved, and the queues are as they were`,
      next: 'wait for longer with --timeout, or stop the workers; a job whose worker is gone ends when a worker of its queue takes it up again',
    }),
  }),
  FLOW_SPLIT: entry<{ queue: string; missing: string; id: string }>({
    name: 'FlowSplit',
    exit: 2,
    when: 'a flow has jobs both in a queue that is to be migrated and in one that is not',
    text: ({ queue, missing, id }) => ({
      message: `a flow would be torn: job ${id} of queue "${queue}" and a job of queue "${missing}" belong together; nothing was changed`,
      next: `move both: -Q ${queue},${missing}, or all queues without -Q`,
    }),
  }),
  FILE_REFUSED: entry<{ doing: string; path: string; reason: string }>({
    name: 'FileRefused',
    exit: 1,
    when: 'a built-in task was given a file that it must not or cannot use',
    text: ({ doing, path, reason }) => ({
      message: `${doing}: ${path} is refused: ${reason}`,
      next: 'give a path inside the allowed root; `builtins` in createApp() sets the root and the limits',
    }),
  }),
  EMAIL_REFUSED: entry<{ to: string; reason: string }>({
    name: 'EmailRefused',
    exit: 1,
    when: 'an e-mail cannot be sent and a retry cannot help',
    text: ({ to, reason }) => ({
      message: `sending e-mail to ${to}: ${reason}`,
      next: 'correct the address, the headers or the SMTP settings and retry the dead letter',
    }),
  }),
  EMAIL_FAILED: entry<{ to: string; server: string; reason: string }>({
    name: 'EmailFailed',
    exit: 1,
    when: 'an e-mail could not be handed to the SMTP server; it is retried',
    text: ({ to, server, reason }) => ({
      message: `sending e-mail to ${to} through ${server}: ${reason}`,
      next: 'check that the server of SMTP_URL is up and reachable from the worker, then retry the dead letter',
    }),
  }),
  ALERT_FAILED: entry<{ rule: string; via: 'webhook' | 'email'; reason: string }>({
    name: 'AlertFailed',
    exit: 1,
    when: 'an alert about dead letters could not be delivered; it is retried',
    text: ({ rule, via, reason }) => ({
      message: `sending the alert "${rule}" by ${via === 'email' ? 'e-mail' : 'webhook'}: ${reason}`,
      next: 'check that the place is up and reachable from the worker, and that every worker has the same `alerts`; then retry the dead letter',
    }),
  }),
  ALERT_REFUSED: entry<{ rule: string; via: 'webhook' | 'email'; reason: string }>({
    name: 'AlertRefused',
    exit: 1,
    when: 'the place that an alert about dead letters goes to has refused it; it is not retried',
    text: ({ rule, via, reason }) => ({
      message: `sending the alert "${rule}" by ${via === 'email' ? 'e-mail' : 'webhook'}: ${reason}`,
      next: 'correct `webhook` or `secret` of the rule in `alerts`, then retry the dead letter',
    }),
  }),
  INVALID_SIGNATURE: entry<{ problem: string; next: string }>({
    name: 'InvalidSignature',
    exit: 2,
    when: 'a signature cannot be: an empty chain, a step that is no signature, one that contains itself, or JSON that describes none',
    text: ({ problem, next }) => ({ message: problem, next }),
  }),
  MEMBER_FAILED: entry<{ who: string; member: string; id: string; reason: string }>({
    name: 'MemberFailed',
    exit: 1,
    when: 'the body of a chord, or a workflow, fails because a job that it waits for failed, was revoked or expired',
    text: ({ who, member, id, reason }) => ({
      message: `${who} cannot go on, because its member "${member}" (job ${id}) has no result: ${reason}`,
      next: `mend the cause and retry job ${id}; what waits for it then goes on by itself`,
    }),
  }),
  WORKFLOW_GONE: entry<{ workflow: string }>({
    name: 'WorkflowGone',
    exit: 1,
    when: 'a job leads on to the next step of a workflow that is not stored any more',
    text: ({ workflow }) => ({
      message: `workflow ${workflow} is not stored any more, so what follows this job is unknown`,
      next: 'send the workflow again; one that has not succeeded is kept for 30 days',
    }),
  }),
  NO_GROUP: entry<{ task: string; id: string }>({
    name: 'NoGroup',
    exit: 1,
    when: 'a task adds a member to its group, and its job is in none',
    text: ({ task, id }) => ({
      message: `task "${task}" cannot add a member to its group: job ${id} is in no group`,
      next: 'send the task as a member of a group or a chord, or call the other task by itself',
    }),
  }),
  PATCH_REFUSED: entry<{ id: string; reason: string }>({
    name: 'PatchRefused',
    exit: 1,
    when: 'the arguments of a stored job cannot be changed as asked',
    text: ({ id, reason }) => ({
      message: `the arguments of job ${id} cannot be changed: ${reason}`,
      next: `\`tq jobs show ${id}\` shows them; \`tq jobs edit ${id} --args JSON\` replaces all of them`,
    }),
  }),
  PARENT_MISSING: entry<{ id: string; parent: string }>({
    name: 'ParentMissing',
    exit: 1,
    when: 'a job is added as the child of a job that is not stored',
    text: ({ id, parent }) => ({
      message: `job ${id} cannot be added as a child of job ${parent}, which is not stored`,
      next: 'somebody removed the job that waits for it; send the workflow again',
    }),
  }),
  QUEUES_APART: entry<{ from: string; to: string; prefix: string }>({
    name: 'QueuesApart',
    exit: 2,
    when: 'jobs are to be moved between queues of a Redis Cluster whose keys share no hash tag',
    text: ({ from, to, prefix }) => ({
      message: `cannot move jobs from queue "${from}" to queue "${to}" in one step: their keys lie on different nodes of the cluster, for the prefix "${prefix}" has no hash tag`,
      next: 'export the jobs, import them into the other queue and purge them here; a prefix in braces, as the default {bull}, keeps all queues together',
    }),
  }),
  INTERNAL: entry<{ doing: string; reason: string }>({
    name: 'InternalError',
    exit: 1,
    when: 'something failed that tq did not expect',
    text: ({ doing, reason }) => ({
      message: `${doing}: ${reason}`,
      next: 'run the command again with --log-level debug; if it persists, report it with the output',
    }),
  }),
} as const;

export type ErrorCode = keyof typeof catalogue;
export type ErrorFacts<Code extends ErrorCode> = (typeof catalogue)[Code] extends Entry<infer Facts> ? Facts : never;
