/**
 * What the scripts of BullMQ 6.7 do wrong, and our backend does not copy. The reference runs them with these places mended,
 * so that the rest of what they do can be compared.
 */

interface Mend {
  readonly scripts: readonly string[];
  readonly find: string;
  readonly replace: string;
}

/** BullMQ's own checks of whether a worker may settle a job: the code of the refusal, or 0. */
const REFUSAL = `
local function refusalOf(jobKey, stalledKey, token, jobId)
  if redis.call('EXISTS', jobKey) == 0 then return -1 end
  local lock = redis.call('GET', jobKey .. ':lock')
  if token ~= '0' and lock ~= token then return lock and -6 or -2 end
  return redis.call('LPOS', string.sub(stalledKey, 1, -8) .. 'active', jobId) and 0 or -3
end
local function refuseOr(removeLock, jobKey, stalledKey, token, jobId)
  local code = refusalOf(jobKey, stalledKey, token, jobId)
  return code < 0 and code or removeLock(jobKey, stalledKey, token, jobId)
end
`;

const PROMOTION =
  'promoteDelayedJobs(KEYS[7], markerKey, KEYS[2], KEYS[8], KEYS[6], ARGV[1], ARGV[2], KEYS[9], isPausedOrMaxed)';

/** The scripts that include `removeParentDependencyKey`. */
const REMOVES_PARENTS = [
  ...['addJobScheduler', 'cleanJobsInSet', 'drain', 'moveToFinished', 'obliterate', 'removeChildDependency'],
  ...['removeJob', 'removeUnprocessedChildren'],
];

const MENDS: readonly Mend[] = [
  // These take the lock away and store the error of the attempt before they find that the job is not active. A call that is
  // refused so leaves traces: a finished job with the stack of an attempt that it never had. Ours refuses before it writes.
  {
    scripts: ['moveToFinished', 'moveToDelayed', 'moveToWaitingChildren', 'retryJob'],
    find: 'local errorCode = removeLock(',
    replace: 'local errorCode = refuseOr(removeLock, ',
  },
  // The same of a retry, which promotes delayed jobs before it looks at all.
  {
    scripts: ['retryJob'],
    find: PROMOTION,
    replace: `if refusalOf(KEYS[4], KEYS[11], ARGV[5], ARGV[4]) == 0 then ${PROMOTION} end`,
  },
  // A drained list is cut by the number of its removed jobs, so a scheduler's job, which is to stay, may be cut off in place
  // of one that is gone.
  {
    scripts: ['drain'],
    find: 'rcall("LTRIM", keyName, #jobs, -1)',
    replace: 'for _, id in ipairs(jobs) do rcall("LREM", keyName, 1, id) end',
  },
  // A new pattern whose first instant already has a job takes the place of it, whatever its state, after the job ahead has
  // been removed: the job is then in two states. Ours refuses, with the code that BullMQ has for it, and removes nothing.
  {
    scripts: ['addJobScheduler'],
    find: 'local removedPrevJob = false\n',
    replace: `local wanted = "repeat:" .. jobSchedulerId .. ":" .. nextMillis
if not every and rcall("EXISTS", prefixKey .. wanted) == 1 then
  local isAhead = tonumber(nextMillis) == prevMillis
  local isFree = rcall("ZSCORE", delayedKey, wanted) or rcall("ZSCORE", prioritizedKey, wanted) or
    (not isQueuePaused(metaKey) and rcall("LPOS", waitKey, wanted))
  if not (isAhead and isFree) then return -10 end
end
local removedPrevJob = false
`,
  },
  // A job that is removed leaves its lock, which then stands in the way of the next job with that id.
  {
    scripts: [
      ...['addDelayedJob', 'addJobScheduler', 'addPrioritizedJob', 'addStandardJob', 'cleanJobsInSet', 'drain'],
      ...['moveToFinished', 'obliterate', 'removeChildDependency', 'removeJob', 'removeJobScheduler'],
      'removeUnprocessedChildren',
    ],
    find: 'local function removeJobKeys(jobKey)\n',
    replace: "local function removeJobKeys(jobKey)\n  rcall('DEL', jobKey .. ':lock')\n",
  },
  // A job's key is cut at its last colon, so the id of a scheduler's job, which has two of its own, is not found, and as a
  // parent it is not told that its children are removed. The prefixes of the runs have no colons.
  {
    scripts: REMOVES_PARENTS,
    find: 'return string.match(jobKey, ".*:(.*)")',
    replace: 'return string.match(jobKey, "^[^:]*:[^:]*:(.*)$")',
  },
  // A parent that is removed with its last child is to let go of its deduplication id, but the child's is looked up instead.
  {
    scripts: REMOVES_PARENTS,
    find: 'removeParentDependencyKey(missedParentKey, hard, nil, baseKey, nil)\n',
    replace: `local parentDeduplication = rcall("HGET", missedParentKey, "deid")
              removeParentDependencyKey(missedParentKey, hard, nil, baseKey, nil)
`,
  },
  {
    scripts: REMOVES_PARENTS,
    find: `if parentAttributes[2] then
                  rcall("DEL", parentPrefix .. "de:" .. parentAttributes[2])
`,
    replace: `local deduplicationKey = parentDeduplication and parentPrefix .. "de:" .. parentDeduplication
                if deduplicationKey and rcall("GET", deduplicationKey) == parentId then
                  rcall("DEL", deduplicationKey, parentPrefix .. "dn:" .. parentDeduplication)
`,
  },
  // The key of the metrics of failed jobs looks like the failed children of a job with the id "metrics", and is deleted.
  { scripts: ['removeOrphanedJobs'], find: 'local found = false', replace: "local found = jobId == 'metrics'" },
];

/**
 * @param name of the command, with BullMQ's version
 * @throws Error when a place is not there: BullMQ has changed, and the mend may be needless
 */
export function mendScript(name: string, lua: string): string {
  const [script = ''] = name.split(':');
  return MENDS.filter(({ scripts }) => scripts.includes(script)).reduce((text, { find, replace }) => {
    if (!text.includes(find)) throw new Error(`BullMQ's ${script} has changed: there is no "${find}" to mend`);
    return (text === lua ? REFUSAL : '') + text.replace(find, () => replace);
  }, lua);
}
