import { formatWorkerName } from '../../engine/control/name-template.ts';
import { createError } from '../../engine/core/errors.ts';
import { escapeControl } from '../../engine/core/escape.ts';
import type { HealthComponent, HealthReport, HealthStatus } from '../../engine/core/health/report.ts';
import { COMPONENTS, type ComponentName } from '../../tasks/health/check-health.ts';
import { defineCommand, type Values } from '../command.ts';
import { readNames, readText } from '../option-values.ts';
import type { Tone } from '../paint.ts';
import type { Surface } from '../presentation.ts';

interface HealthOptions {
  readonly only?: readonly string[];
  readonly worker?: string;
  readonly beat?: boolean;
  readonly strict?: boolean;
}

export const health = defineCommand({
  name: 'health',
  summary: 'Say whether broker, queues, workers, disk and memory are well, or one worker or the beat',
  details: [
    'Without options it finds what the task health.check finds, with the limits of the app (docs/health.md). With --only, --worker or',
    '--beat it looks at that alone. Exit codes: 0 well, or degraded without --strict; 1 something has failed; 69 the broker, the',
    'worker or any beat gives no answer.',
  ].join('\n'),
  options: [
    { flags: '--only <components>', summary: `only these of ${COMPONENTS.join(', ')}`, many: 'split' },
    {
      flags: '--worker <name>',
      summary: 'whether this worker answers and takes jobs; %h is the host name, as in tq@%h',
      completion: 'workers',
    },
    { flags: '--beat', summary: 'whether a beat leads and is current' },
    { flags: '--strict', summary: 'exit code 1 for what is degraded, too' },
  ],
  examples: [
    { command: 'tq health', does: 'look at everything' },
    { command: 'tq health --only broker', does: 'whether the broker answers, for a probe' },
    { command: 'tq health --worker tq@%h', does: 'whether the worker of this machine or pod takes jobs' },
    { command: 'tq health --beat --json', does: 'whether schedules are kept, as JSON' },
  ],
  json: ['status', 'components'],
  operation: async () => (await import('../../ops/check-health.ts')).checkHealth,
  toInput: ({ options, timeoutMs }: Values<HealthOptions>) => ({
    only: readComponents(options.only),
    worker: readWorker(options.worker),
    beat: options.beat,
    timeoutMs,
  }),
  present: (report: HealthReport, { strict = false }: HealthOptions) => ({
    json: report,
    blocks: [{ kind: 'drawn', draw: (surface) => drawReport(report, surface) }],
    exitCode: exitCodeOf(report, strict),
  }),
});

function readComponents(given: readonly string[] | undefined): ComponentName[] | undefined {
  return readNames(given, '--only')?.map((name) => {
    const known = COMPONENTS.find((component) => component === name);
    if (known !== undefined) return known;
    const expected = `one of ${COMPONENTS.join(', ')}`;
    throw createError('INVALID_OPTION', { what: '--only', expected, given: JSON.stringify(name) });
  });
}

/** `%p` and `%n` tell the workers of one machine apart, so a probe that does not know them cannot use them. */
function readWorker(given: string | undefined): string | undefined {
  const template = readText(given, '--worker');
  if (template === undefined) return undefined;
  if (!/%[pn]/.test(template.replaceAll('%%', ''))) {
    formatWorkerName(template, { host: 'host', pid: 0 });
    return template;
  }
  const expected = 'a name without %p and %n, which only the worker itself knows';
  throw createError('INVALID_OPTION', { what: '--worker', expected, given: JSON.stringify(template) });
}

function exitCodeOf({ status, components }: HealthReport, strict: boolean): 0 | 1 | 69 {
  if (components.some(({ answers }) => answers === false)) return 69;
  return status === 'failed' || (strict && status === 'degraded') ? 1 : 0;
}

const TONES: Readonly<Record<HealthStatus, Tone>> = { ok: 'good', degraded: 'waiting', failed: 'bad' };
const STATUS_WIDTH = 'degraded'.length;

/** In a pipe a component is a line: name, status, message. */
function drawReport({ components }: HealthReport, { isTerminal, paint }: Surface): string {
  const width = Math.max(0, ...components.map(({ name }) => name.length));
  const draw = ({ name, status, message }: HealthComponent): string => {
    if (!isTerminal) return `${[name, status, message].map((cell) => escapeControl(cell)).join('\t')}\n`;
    return `${paint(TONES[status], status.padEnd(STATUS_WIDTH))}  ${paint('title', name.padEnd(width))}  ${escapeControl(message)}\n`;
  };
  return components.map(draw).join('');
}
