/**
 * The whole way in one go: starts a worker, signs somebody up, waits for the e-mail and the thumbnails, says where they lie.
 * `npm start` in the clone. No mail leaves the machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { TqError } from 'taskq';
import { app, folder } from './app.ts';
import { signUp } from './sign-up.ts';

interface Email {
  readonly outbox: string;
}

interface Thumbnails {
  readonly files: readonly { readonly path: string; readonly width: number; readonly height: number }[];
}

const tq = join(import.meta.dirname, '..', '..', 'bin', 'tq');
const logfile = join(folder, 'worker.log');
const startedIn = process.cwd();
const show = (path: string): string => relative(startedIn, path) || '.';
const say = (title: string, text: string) => process.stdout.write(`${title.padEnd(11)} ${text}\n`);

// Where tq.config.ts lies, which names the broker: this program and the worker find the same one.
process.chdir(import.meta.dirname);

try {
  await connect();
  const worker = await startWorker();
  try {
    await Promise.race([signUpAda(), failWhenEnded(worker)]);
  } finally {
    await stopWorker(worker);
  }
  say('next', 'the same by hand: README.md, "Five minutes"');
} catch (error) {
  if (!(error instanceof TqError)) throw error;
  process.stderr.write(`tq: ${error.message} [${error.code}]\n    ${error.next}\n`);
  process.exitCode = error.exitCode;
} finally {
  await app.close();
}

/** PostgreSQL needs its tables once, which only `tq migrate` makes. */
async function connect(): Promise<void> {
  try {
    await app.broker();
  } catch (error) {
    if (!(error instanceof TqError) || error.code !== 'BROKER_UNSUITABLE') throw error;
    say('migrate', 'the tables are missing, running `tq migrate`');
    const [exitCode] = await once(runTq(['migrate'], 'inherit'), 'exit');
    if (exitCode !== 0) throw error;
  }
  const broker = await app.broker();
  say('broker', `${await broker.describe()} at ${broker.url}`);
}

async function startWorker(): Promise<ChildProcess> {
  await mkdir(folder, { recursive: true });
  const worker = runTq(['worker', '--logfile', logfile], ['ignore', 'inherit', 'inherit']);
  say('worker', `started as process ${worker.pid}, its log is ${show(logfile)}`);
  return worker;
}

async function signUpAda(): Promise<void> {
  const job = await signUp('ada@example.com', 'Ada', 'tour');
  say('called', `${job.task}, job ${job.id} on queue ${job.queue}`);
  const { isNew, welcome, thumbnails } = await job.get({ timeout: '60s' });
  say('subscribed', isNew ? 'ada@example.com' : 'ada@example.com, who was subscribed already');
  const email = await app.result<Email>(welcome).get({ timeout: '60s' });
  say('e-mail', show(email.outbox));
  const pictures = await app.result<Thumbnails>(thumbnails ?? '').get({ timeout: '60s' });
  for (const { path, width, height } of pictures.files) {
    say('thumbnail', `${show(join(folder, path))} (${width} x ${height})`);
  }
}

/** A worker that ends by itself has said why on stderr. */
async function failWhenEnded(worker: ChildProcess): Promise<never> {
  const [exitCode] = await once(worker, 'exit');
  throw new Error(`the worker ended with exit code ${exitCode}, see ${show(logfile)}`);
}

async function stopWorker(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null) return;
  worker.kill('SIGTERM');
  const [exitCode] = await once(worker, 'exit');
  say('worker', `stopped, exit code ${exitCode}`);
}

/** In development mode and without SMTP_URL, whatever the shell says: then e-mail is written to files. */
function runTq(args: readonly string[], stdio: 'inherit' | ['ignore', 'inherit', 'inherit']): ChildProcess {
  const env = { ...process.env, SMTP_URL: '', NODE_ENV: 'development' };
  return spawn(process.execPath, [tq, ...args], { cwd: import.meta.dirname, env, stdio });
}
