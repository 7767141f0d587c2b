import { statSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import { type BrokerAddress, parseBrokerUrl, type SqliteAddress } from './broker-url.ts';
import type { Broker } from './port.ts';
import type { StoreOptions } from './store.ts';

export interface OpenBrokerOptions {
  readonly clock: Clock;
  /** How long one operation of a producer waits for a lost store. Default 30 s. */
  readonly patienceMs?: number;
  /** Does not look whether the schema fits: for `tq migrate`, which is about to make it. */
  readonly skipSchema?: boolean;
  /** A SQLite file that is not there is not made, and stands for a broker without queues: for who adds no jobs. */
  readonly onlyExisting?: boolean;
  /** What the caller is doing, for the error: `connecting`. */
  readonly doing?: string;
}

/**
 * Opens a broker by its URL and makes sure that it answers. The drivers are loaded here, and only the one that is needed.
 *
 * @throws BROKER_URL_INVALID, BROKER_UNAVAILABLE, BROKER_UNSUITABLE
 */
export async function openBroker(url: string, options: OpenBrokerOptions): Promise<Broker> {
  const address = options.onlyExisting === true ? withoutMissingFile(parseBrokerUrl(url)) : parseBrokerUrl(url);
  const storeOptions: StoreOptions = { clock: options.clock, patienceMs: options.patienceMs ?? 30_000 };
  const [{ BullBroker }, store] = await Promise.all([
    import('./bull-broker.ts'),
    address.kind === 'redis'
      ? import('./redis/redis-store.ts').then(({ createRedisStore }) => createRedisStore(url, address, storeOptions))
      : address.kind === 'postgres'
        ? import('./postgres/postgres-store.ts').then(({ createPostgresStore }) =>
            createPostgresStore(url, address, storeOptions),
          )
        : import('./sqlite/sqlite-store.ts').then(({ createSqliteStore }) => createSqliteStore(address, storeOptions)),
  ]);
  const broker = new BullBroker(store);
  if (options.skipSchema !== true) {
    await store.connect(options.doing ?? 'connecting').catch(async (error) => {
      await broker.close();
      throw error;
    });
  }
  return broker;
}

/** The file of a SQLite broker that is not there yet; undefined for one that is, and for brokers on servers. */
export function findMissingFile(url: string): string | undefined {
  const address = parseBrokerUrl(url);
  return isMissing(address) ? address.path : undefined;
}

function withoutMissingFile(address: BrokerAddress): BrokerAddress {
  return isMissing(address) ? { ...address, path: ':memory:' } : address;
}

/** A file that this user may not look for is not missing: opening it says what is wrong. */
function isMissing(address: BrokerAddress): address is SqliteAddress {
  if (address.kind !== 'sqlite' || address.path === ':memory:') return false;
  try {
    return statSync(address.path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}
