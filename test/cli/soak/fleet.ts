import { fileURLToPath } from 'node:url';
import { type RunningTq, startTq } from '../../support/tq-command.ts';
import { waitFor } from '../../support/wait-for.ts';

const APP = fileURLToPath(new URL('./app.ts', import.meta.url));

export interface SoakWorker {
  readonly name: string;
  readonly process: RunningTq;
}

interface FleetOptions {
  readonly url: string;
  /** Where runs are written down. */
  readonly journal: string;
  readonly size: number;
  readonly random: () => number;
  /** Names of the workers that are ready. */
  readonly listReady: () => Promise<string[]>;
}

/** The workers of a soak: always so many, under names that are never used twice. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #workers = new Set<SoakWorker>();
  #started = 0;
  /** When workers were killed, by name. */
  readonly killed = new Map<string, number>();
  /** What ended otherwise than it should have. */
  readonly complaints: string[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  async fill(): Promise<void> {
    const missing = this.#options.size - this.#workers.size;
    await Promise.all(Array.from({ length: missing }, () => this.#start()));
  }

  /** Kills a worker as a machine that goes away does, and starts another one. */
  async kill(): Promise<void> {
    const worker = this.#pick();
    this.killed.set(worker.name, Date.now());
    worker.process.signal('SIGKILL');
    await worker.process.exit;
    await this.fill();
  }

  /** Replaces a worker as a deploy does: the new one starts while the old one stops. */
  async deploy(): Promise<void> {
    const worker = this.#pick();
    await this.#untilReady(worker);
    worker.process.signal('SIGTERM');
    await this.fill();
    await this.#expectEnd(worker);
  }

  async stop(): Promise<void> {
    const workers = [...this.#workers];
    await Promise.all(workers.map((worker) => this.#untilReady(worker)));
    this.#workers.clear();
    for (const { process } of workers) process.signal('SIGTERM');
    await Promise.all(workers.map((worker) => this.#expectEnd(worker)));
  }

  killAll(): void {
    for (const { process } of this.#workers) process.signal('SIGKILL');
  }

  /** A worker that has not begun yet ends at once and says nothing. */
  async #untilReady({ name, process }: SoakWorker): Promise<void> {
    let ended = false;
    void process.exit.then(() => {
      ended = true;
    });
    const look = async (): Promise<boolean> => ended || (await this.#options.listReady()).includes(name);
    const detail = (): string => process.stdout + process.stderr;
    await waitFor(`${name} to be ready`, look, { timeoutMs: 60_000, everyMs: 50, detail });
    if (ended) throw new Error(`${name} ended by itself: ${detail()}`);
  }

  #pick(): SoakWorker {
    const workers = [...this.#workers];
    const worker = workers[Math.floor(this.#options.random() * workers.length)] as SoakWorker;
    this.#workers.delete(worker);
    return worker;
  }

  async #start(): Promise<void> {
    this.#started += 1;
    const { url, journal } = this.#options;
    const name = `soak-${this.#started}`;
    const pool = this.#started % 2 === 0 ? 'async' : 'prefork';
    const args = ['worker', '-A', APP, '-b', url, '-n', name, '-P', pool, '-c', '4', '--lock-duration', '5s', '--json'];
    const process = await startTq([...args, '-l', 'warn'], { env: { SOAK_JOURNAL: journal } });
    this.#workers.add({ name, process });
  }

  async #expectEnd({ name, process }: SoakWorker): Promise<void> {
    const { exitCode, signal } = await process.exit;
    if (exitCode !== 0) this.complaints.push(`${name} ended with ${exitCode ?? signal}: ${process.stderr.slice(-500)}`);
  }
}
