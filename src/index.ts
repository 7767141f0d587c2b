/** The public library: everything that `import { ... } from 'taskq'` gives. */
export type { ActiveReplies, AppControl, AppInspect, RevokedReplies } from './engine/app/app-control.ts';
export type { EventOptions } from './engine/app/app-events.ts';
export type { AddEntryOptions, AppSchedules, ReconcileOptions } from './engine/app/app-schedules.ts';
export type { WhyOptions } from './engine/app/app-why.ts';
export type { AskOptions } from './engine/app/ask-options.ts';
export type { CallOptions } from './engine/app/call-options.ts';
export type {
  App,
  AppOptions,
  DeadLettersOption,
  QueueDeclaration,
  ResultsOption,
  WorkerOptions,
} from './engine/app/contract.ts';
export { createApp } from './engine/app/create-app.ts';
export type { BeatOptions } from './engine/app/create-app-beat.ts';
export type { PausedTaskReply, PauseOptions, ResumedTaskReply } from './engine/app/pause-control.ts';
export type { RevokeOptions, RevokeReplies } from './engine/app/revoke-control.ts';
export type { NewTimeLimits, SlotRange } from './engine/app/shape-control.ts';
export type { Task } from './engine/app/task.ts';
export type { Replies, ReplyError } from './engine/app/worker-replies.ts';
export type { Beat, BeatState } from './engine/beat/beat.ts';
export type { ResultRow, ResultStore } from './engine/broker/result-store/result-port.ts';
export { chain, chord, group } from './engine/canvas/constructs.ts';
export type { AnySignature, NoInput, SendOptions, Signature, StepSignature } from './engine/canvas/signature.ts';
export type { SignatureContent } from './engine/canvas/signature-content.ts';
export type { MemberFailure, Settled } from './engine/canvas/signature-input.ts';
export type { GroupOptions, SignatureOptions } from './engine/canvas/signature-options.ts';
export { signatureFrom } from './engine/canvas/stored-signature.ts';
export { type Config, defineConfig } from './engine/config/config.ts';
export type { AlertNotice, AlertSample } from './engine/core/alert-notice.ts';
export type { AlertPer, AlertRuleOptions } from './engine/core/alert-rule.ts';
export type { Duration } from './engine/core/duration.ts';
export {
  BrokerUnavailable,
  InvalidArguments,
  ResultTimeout,
  SoftTimeLimitExceeded,
  TaskFailed,
  TaskRevoked,
  TimeLimitExceeded,
  TqError,
  UnknownTask,
  WorkerLost,
} from './engine/core/errors.ts';
export type { HealthComponent, HealthReport, HealthStatus } from './engine/core/health/report.ts';
export type { StoredError, StoredJob } from './engine/core/job.ts';
export type { TaskProgress } from './engine/core/progress.ts';
export type { CallRetryOptions, RetryOptions } from './engine/core/retry-policy.ts';
export type { Happened, RevokedJob } from './engine/core/revocation.ts';
export { type CrontabOptions, crontab } from './engine/core/schedule/crontab.ts';
export { type SolarOptions, solar } from './engine/core/schedule/sun-events.ts';
export type { UpcomingRun } from './engine/core/schedule/upcoming-runs.ts';
export type { JobState } from './engine/core/state.ts';
export type { JobExplanation, Reason, ReasonCode } from './engine/core/why/reason.ts';
export type { ErrorPolicy, FailedStep } from './engine/core/workflow/graph.ts';
export type { WorkflowProgress, WorkflowStep, WorkflowView } from './engine/core/workflow/workflow-view.ts';
export type { Event, EventType } from './engine/events/event.ts';
export type { Hooks, TaskEvent, WorkerEvent } from './engine/events/hooks.ts';
export type {
  AsyncResult,
  FinishedPart,
  GroupResult,
  RetriedWorkflow,
  WorkflowResult,
} from './engine/results/async-result.ts';
export type { HistoryOptions } from './engine/results/result-history.ts';
export type { DeclaredEntry } from './engine/schedule/declared-entry.ts';
export type { EntryOptions } from './engine/schedule/entry-options.ts';
export { type EntryDifference, formatDifferences, type ReconcileReport } from './engine/schedule/reconciliation.ts';
export type { SchedulePage } from './engine/schedule/schedule-pages.ts';
export type { ScheduleView } from './engine/schedule/schedule-view.ts';
export { context, type TaskContext } from './engine/task/context.ts';
export { defineTask, type TaskDefinition, type TaskOptions } from './engine/task/definition.ts';
export { Ignore, Reject, Retry } from './engine/task/exceptions.ts';
export type { UniqueKey, UniqueOptions } from './engine/task/unique.ts';
export type { DeadLetter, DeadLetterError, OnDeadLetter } from './engine/worker/dead-letters/dead-letter.ts';
export type { Worker } from './engine/worker/worker.ts';
export type { WorkerEnd } from './engine/worker/worker-settings.ts';
