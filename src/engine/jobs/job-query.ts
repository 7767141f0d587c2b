import type { ScanPlace } from '../broker/bulk-port.ts';
import type { JobFilter } from '../broker/job-filter.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import type { JobSummary, StoredJob } from '../core/job.ts';
import { parseNamePattern } from '../core/name-pattern.ts';
import { parseQuery, type QueryFields, type QueryRecord } from '../core/query/query.ts';
import type { TermToken } from '../core/query/query-lexer.ts';
import { narrowQuery } from '../core/query/query-narrowing.ts';
import { parseQueryText, type QueryNode } from '../core/query/query-parser.ts';
import { EXACT_NUMBERS, rootOf } from '../core/query/query-path.ts';
import { STATES } from '../core/state.ts';
import { COMBINED, narrowTerm } from './job-filters.ts';
import { PLACES, placeOf, STATES_OF_PLACE } from './job-place.ts';

/** What may be asked of jobs. docs/queries.md lists it. */
const JOB_FIELDS = {
  id: { kind: 'text' },
  task: { kind: 'text' },
  queue: { kind: 'text' },
  state: { kind: 'choice', choices: [...STATES.filter((state) => state !== 'UNKNOWN'), ...PLACES] },
  error: { kind: 'text' },
  fingerprint: { kind: 'text' },
  reason: { kind: 'text' },
  worker: { kind: 'text' },
  attempts: { kind: 'number' },
  priority: { kind: 'number' },
  age: { kind: 'age', key: 'createdAt' },
  finished: { kind: 'age', key: 'finishedAt' },
  due: { kind: 'until', key: 'dueAt' },
  duration: { kind: 'duration', key: 'durationMs' },
  unique: { kind: 'text' },
  requestId: { kind: 'text' },
  rootId: { kind: 'text' },
  parentId: { kind: 'text' },
  workflowId: { kind: 'text' },
  args: { kind: 'path' },
  headers: { kind: 'path' },
  result: { kind: 'path' },
} as const satisfies QueryFields;

type Field = keyof typeof JOB_FIELDS;

/** What a summary does not hold. */
const FIELDS_OF_DATA: ReadonlySet<string> = new Set<Field>([
  ...(['priority', 'unique', 'requestId', 'rootId', 'parentId', 'workflowId'] as const),
  ...(['args', 'headers', 'result'] as const),
]);

export interface JobQuery {
  /** Whether a queue can hold such a job: the others need not be looked through. Undefined when the query says nothing of queues. */
  readonly queues: ((queue: string) => boolean) | undefined;
  /** The only queues that can hold such a job, where the query names them: the list of all queues need not be read. */
  readonly queueNames: readonly string[] | undefined;
  /** Where such a job can stand, in the order of `tq inspect queues`. May be none. */
  readonly places: readonly ScanPlace[];
  /** Whether such a job can stand there in this queue; says more than `queues` and `places` when they depend on each other. */
  reaches(queue: string, place: ScanPlace): boolean;
  /** What the store can look for while it scans: it takes every job that `matches` takes, and perhaps more. Undefined takes all. */
  readonly filter: JobFilter | undefined;
  /** Whether arguments, result or what the call carries are asked for: a summary then says too little. */
  readonly needsData: boolean;
  /** @param seenIn where the job was met: tells a dead letter from the head of a workflow that failed */
  matches(job: StoredJob | JobSummary, seenIn?: ScanPlace): boolean;
}

/**
 * Reads a query about jobs: `state:dead task:email.* error~timeout age>1h args.0.to=*@example.com`.
 *
 * To run it: scan the queues and places that it reaches with its `filter`, whole jobs if it `needsData` and summaries if not, and keep what
 * it `matches`. `ops/job-selection.ts` does that.
 *
 * @param now epoch ms, for ages: the same for all jobs, however long they take to read
 * @throws INVALID_QUERY that shows the place
 */
export function parseJobQuery(text: string, now: number): JobQuery {
  const matches = parseQuery(text, JOB_FIELDS);
  const tree = parseQueryText(text);
  const terms = listTerms(tree);
  const reaches = (queue: string | undefined, place: ScanPlace): boolean => judge(tree, { queue, place }) !== 'none';
  const places = PLACES.filter((place) => reaches(undefined, place));
  const asksForKind = terms.some(({ field }) => field === 'fingerprint');
  const namesQueues = terms.some(({ field }) => field === 'queue');
  return {
    queues: namesQueues ? (queue) => places.some((place) => reaches(queue, place)) : undefined,
    queueNames: listNames(tree),
    places,
    reaches,
    filter: narrowQuery(tree, (term) => narrowTerm(term, now), COMBINED).filter,
    needsData: terms.some(({ field }) => FIELDS_OF_DATA.has(rootOf(field))),
    matches: (job, seenIn) => matches(toQueryRecord(job, seenIn, asksForKind), now),
  };
}

function toQueryRecord(job: StoredJob | JobSummary, seenIn: ScanPlace | undefined, asksForKind: boolean): QueryRecord {
  const { error, startedAt, finishedAt } = job;
  const place = placeOf(job, seenIn);
  const hasDuration = startedAt !== null && finishedAt !== null;
  const record = {
    ...job,
    state: place === undefined ? job.state : [job.state, place],
    error: error === null ? null : `${error.name}: ${error.message}`,
    durationMs: hasDuration ? Math.max(0, finishedAt - startedAt) : null,
  };
  if (!('meta' in job)) return record;
  const { requestId, rootId, parentId, workflow, headers } = job.meta;
  const numbers = job[EXACT_NUMBERS];
  const fingerprint = asksForKind && error !== null ? fingerprintOf(error) : null;
  return {
    ...record,
    fingerprint,
    requestId,
    rootId,
    parentId,
    workflowId: workflow?.id,
    headers,
    [EXACT_NUMBERS]: numbers,
  };
}

function listTerms(node: QueryNode): TermToken[] {
  if (node.kind === 'term') return [node.term];
  return node.kind === 'not' ? listTerms(node.node) : node.nodes.flatMap(listTerms);
}

/** The queues that a query names outright. */
function listNames(node: QueryNode): readonly string[] | undefined {
  switch (node.kind) {
    case 'term': {
      const { field, operator, value, quoted } = node.term;
      const isName = field === 'queue' && operator !== '~' && (quoted || !/[*?]/.test(value));
      return isName ? [value] : undefined;
    }
    case 'not':
      return undefined;
    case 'all':
      return node.nodes.map(listNames).find((names) => names !== undefined);
    case 'any': {
      const lists = node.nodes.map(listNames);
      return lists.every((names) => names !== undefined) ? [...new Set(lists.flat())] : undefined;
    }
  }
}

/** How many of the jobs that stand somewhere a query takes, as far as that can be said without looking at them. */
type Share = 'all' | 'some' | 'none';

interface Standing {
  /** Undefined is any. */
  readonly queue: string | undefined;
  readonly place: ScanPlace;
}

function judge(node: QueryNode, standing: Standing): Share {
  switch (node.kind) {
    case 'term':
      return judgeTerm(node.term, standing);
    case 'not': {
      const share = judge(node.node, standing);
      return share === 'some' ? share : share === 'all' ? 'none' : 'all';
    }
    default: {
      const shares = node.nodes.map((each) => judge(each, standing));
      const [whole, nothing] = node.kind === 'all' ? (['all', 'none'] as const) : (['none', 'all'] as const);
      if (shares.includes(nothing)) return nothing;
      return shares.every((share) => share === whole) ? whole : 'some';
    }
  }
}

function judgeTerm(term: TermToken, { queue, place }: Standing): Share {
  const field = rootOf(term.field);
  if (field === 'queue') return queue === undefined ? 'some' : matchesAlone(term, queue) ? 'all' : 'none';
  if (field === 'state') {
    const taken = STATES_OF_PLACE[place].filter((state) => matchesAlone(term, state, place));
    return taken.length === 0 ? 'none' : taken.length === STATES_OF_PLACE[place].length ? 'all' : 'some';
  }
  // What only jobs of one place have.
  if (field === 'result') return place === 'completed' ? 'some' : 'none';
  if (field === 'due') return place === 'scheduled' ? 'some' : 'none';
  return 'some';
}

/** Of a field of text that is always there. The value of a state may be in any case. */
function matchesAlone({ field, operator, value, quoted }: TermToken, ...given: readonly string[]): boolean {
  const fold = (text: string): string => (field === 'state' || operator === '~' ? text.toLowerCase() : text);
  const wanted = fold(value);
  const fits =
    operator === '~'
      ? (text: string) => text.includes(wanted)
      : quoted
        ? (text: string) => text === wanted
        : parseNamePattern(wanted);
  return given.some((text) => fits(fold(text)));
}
