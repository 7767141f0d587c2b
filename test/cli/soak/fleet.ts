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
    await this.#untilAllAreReady();
    const worker = this.#pick();
    worker.process.signal('SIGTERM');
    await this.fill();
    await this.#expectEnd(worker);
  }

  async stop(): Promise<void> {
    await this.#untilAllAreReady();
    const workers = [...this.#workers];
    this.#workers.clear();
    for (const { process } of workers) process.signal('SIGTERM');
    await Promise.all(workers.map((worker) => this.#expectEnd(worker)));
  }

  killAll(): void {
    const workers = [...this.#workers];
    this.#workers.clear();
    for (const { process } of workers) process.signal('SIGKILL');
  }

  /** A worker that has not begun yet ends at once when it is told to, and says nothing. */
  async #untilAllAreReady(): Promise<void> {
    const { size, listReady } = this.#options;
    const look = async (): Promise<boolean> => {
      const ready = await listReady();
      return this.#workers.size === size && [...this.#workers].every(({ name }) => ready.includes(name));
    };
    const detail = (): string => [...this.#workers].map(({ name, process }) => name + process.stderr).join('\n');
    await waitFor('all workers to be ready', look, { timeoutMs: 60_000, everyMs: 50, detail });
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
    const worker = { name, process };
    this.#workers.add(worker);
    void process.exit.then(() => this.#replace(worker));
  }

  /** As a supervisor does it: a worker that starts while the broker is away ends with 69, and is started again. */
  async #replace(worker: SoakWorker): Promise<void> {
    const isOwnWill = this.#workers.delete(worker);
    if (!isOwnWill) return;
    const { exitCode, signal } = await worker.process.exit;
    if (exitCode !== 69) {
      this.complaints.push(
        `${worker.name} ended by itself, ${exitCode ?? signal}: ${worker.process.stderr.slice(-500)}`,
      );
    }
    await this.#start();
  }

  async #expectEnd({ name, process }: SoakWorker): Promise<void> {
    const { exitCode, signal } = await process.exit;
    if (exitCode !== 0) this.complaints.push(`${name} ended with ${exitCode ?? signal}: ${process.stderr.slice(-500)}`);
  }
}
