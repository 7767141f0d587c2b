import { hostname, userInfo } from 'node:os';

/** Who runs this process. */
export interface Operator {
  /** The host name, when the user has none: a container may have a user without a name. */
  readonly user: string;
  readonly host: string;
}

export function readOperator(): Operator {
  const host = hostname();
  try {
    return { user: userInfo().username, host };
  } catch {
    return { user: host, host };
  }
}

/** `ada@web-1`: who does it, for those who ask later. */
export function formatOperator({ user, host }: Operator): string {
  return user === host ? host : `${user}@${host}`;
}
