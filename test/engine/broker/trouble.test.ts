import { describe, expect, test } from 'vitest';
import { isTrouble, unavailable } from '../../../src/engine/broker/trouble.ts';
import { BrokerUnavailable, createError } from '../../../src/engine/core/errors.ts';

function fault(message: string, code?: unknown): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

/** What ioredis gives a transaction whose connection was cut: one error for it and all its commands. */
function cutTransaction(message: string): Error {
  const error = fault(message);
  return Object.assign(error, { previousErrors: [error, error] });
}

describe('an error of a store', () => {
  test.each<[Error]>([
    [fault('connect ECONNREFUSED 127.0.0.1:6379', 'ECONNREFUSED')],
    [fault('read ECONNRESET', 'ECONNRESET')],
    [fault('write EPIPE', 'EPIPE')],
    [fault('getaddrinfo EAI_AGAIN h', 'EAI_AGAIN')],
    [fault('Connection is closed.')],
    [fault('Command aborted due to connection close')],
    [
      Object.assign(fault('EXECABORT Transaction discarded because of previous errors.'), {
        previousErrors: [fault('LOADING Redis is loading the dataset in memory')],
      }),
    ],
    [cutTransaction('Connection is closed.')],
    [fault('Connection terminated unexpectedly')],
    [fault("Stream isn't writeable and enableOfflineQueue options is false")],
    [fault("Cluster isn't ready and enableOfflineQueue options is false")],
    [fault('Reached the max retries per request limit (which is 0).')],
    [fault('LOADING Redis is loading the dataset in memory')],
    [fault("READONLY You can't write against a read only replica.")],
    [fault('MASTERDOWN Link with MASTER is down')],
    [fault('CLUSTERDOWN The cluster is down')],
    [fault('UNBLOCKED force unblock from blocking operation')],
    [fault('All sentinels are unreachable. Retrying from scratch after 50ms.')],
    [fault('Failed to refresh slots cache.')],
    [fault('the database system is starting up', '57P03')],
    [fault('terminating connection due to administrator command', '57P01')],
    [fault('sorry, too many clients already', '53300')],
    [fault('connection failure', '08006')],
    [fault('timeout exceeded when trying to connect')],
    [fault('Client has encountered a connection error and is not queryable')],
    [fault('Query read timeout')],
    [new AggregateError([fault('connect ECONNREFUSED ::1:6379', 'ECONNREFUSED')], '')],
  ])('%s means that it is away', (error) => {
    expect(isTrouble(error)).toBe(true);
  });

  test.each<[unknown]>([
    [fault('NOAUTH Authentication required.')],
    [fault('WRONGTYPE Operation against a key holding the wrong kind of value')],
    [fault('OOM command not allowed when used memory > maxmemory')],
    [fault('NOPERM this user has no permissions')],
    [fault('syntax error at or near "SELEC"', '42601')],
    [fault('relation "job" does not exist', '42P01')],
    [fault('Missing lock for job 1. moveToFinished', -2)],
    [fault('division by zero', '22012')],
    [new AggregateError([fault('no')], '')],
    [createError('UNKNOWN_JOB', { id: 'x' })],
    ['a thrown text'],
    [undefined],
  ])('%s means that it refused', (error) => {
    expect(isTrouble(error)).toBe(false);
  });

  test.each<[string, Error, RegExp]>([
    ['redis://h', fault('connect ECONNREFUSED 127.0.0.1:6379', 'ECONNREFUSED'), /is it running/],
    ['redis://h', fault('getaddrinfo ENOTFOUND h', 'ENOTFOUND'), /DNS/],
    ['redis://h', fault('WRONGPASS invalid username-password pair'), /password/],
    ['postgres://h', fault('password authentication failed for user "u"', '28P01'), /password/],
    ['redis://h', fault('NOPERM this user has no permissions to run'), /ACL/],
    ['rediss://h', fault('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'), /\?ca=FILE/],
    ['rediss://h', fault('connect ETIMEDOUT', 'ETIMEDOUT'), /rediss:\/\//],
    ['redis://h', fault('connect ETIMEDOUT', 'ETIMEDOUT'), /firewall/],
    ['redis://h/99', fault('ERR DB index is out of range'), /database number/],
    ['postgres://h/d', fault('database "d" does not exist', '3D000'), /create the database/],
    ['redis+sentinel://h/m', fault('All sentinels are unreachable and retry is disabled.'), /master/],
    ['redis+cluster://h', fault('Failed to refresh slots cache.'), /form a cluster/],
    ['redis://h', fault(''), /firewall/],
  ])('on %s, %s names the usual causes', (url, error, causes) => {
    const shown = unavailable(url, 'connecting', error);
    expect(shown).toBeInstanceOf(BrokerUnavailable);
    expect(shown).toMatchObject({ code: 'BROKER_UNAVAILABLE', exitCode: 69, next: expect.stringMatching(causes) });
    expect(shown.cause).toBe(error);
  });

  test('is shown in one line, also when it has no message or many', () => {
    expect(unavailable('u', 'd', fault('first\nsecond')).message).toMatch(/: first$/);
    expect(unavailable('u', 'd', fault('', 'ECONNRESET')).message).toMatch(/: ECONNRESET$/);
    expect(unavailable('u', 'd', new AggregateError([fault('a'), fault('b')], '')).message).toMatch(/: a; b$/);
    expect(unavailable('u', 'd', undefined).message).toMatch(/: undefined$|: no answer$/);
  });
});
