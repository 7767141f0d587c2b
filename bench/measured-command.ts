import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const tq = fileURLToPath(new URL('../bin/tq', import.meta.url));
const LOOK_MS = 20;

export interface Measured {
  /** From start to end. */
  readonly seconds: number;
  /** Processor time of the command, in seconds. */
  readonly cpu: number;
  /** The most memory that it had resident. */
  readonly mib: number;
  readonly stdout: string;
}

/**
 * Runs the built `tq` in a process of its own, and measures it from outside (Linux).
 *
 * @throws Error when it fails
 */
export async function runMeasured(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [tq, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let kib = 0;
  let cpu = 0;
  const look = setInterval(() => {
    kib = readPeak(child.pid) ?? kib;
    cpu = readProcessor(child.pid) ?? cpu;
  }, LOOK_MS);
  let stdout = '';
  child.stdout.on('data', (part: Buffer) => {
    stdout += part.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(look);
  if (code !== 0) throw new Error(`tq ${argv.join(' ')} ended with ${code}`);
  return { seconds: (performance.now() - startedAt) / 1000, cpu, mib: Math.round(kib / 1024), stdout };
}

/** In seconds, of a clock of 100 ticks; undefined once it has ended. */
function readProcessor(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

/** In KiB; undefined once it has ended. */
function readPeak(pid: number | undefined): number | undefined {
  try {
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return peak === undefined ? undefined : Number(peak);
  } catch {
    return undefined;
  }
}
