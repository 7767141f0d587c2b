import { RelayErrorCode } from 'bullmq';
import { expect } from 'vitest';
import { defineRule, type RelaySubject } from '../relay-workshop.ts';

const sixteen = Array.from({ length: 16 }, (_, index) => `s${index}`).join('.');

const topics = ['a', 'queues.emails.jobs.42.progress', 'A-Z_09:%41.x', sixteen, 'x'.repeat(512)];
const patterns = ['*', '>', 'a.*', '*.a', 'a.>', '*.*.>', 'a.*.b', `${sixteen.slice(0, -4)}.>`];
const neither = ['', '.', 'a.', '.a', 'a..b', 'a b', 'ä', 'a|b', 'a\n', `${sixteen}.x`, 'x'.repeat(513), 'a/b'];
const noPatterns = [...neither, '>.a', 'a*', '*a', '**', 'a.>>', '>>', 'a.*b'];

export const subscribing: RelaySubject = {
  subject: 'subscribing',
  rules: [
    defineRule('an endpoint is added to a pattern once', async ({ backend, register, getNode }) => {
      await register('a');
      expect(await backend.subscribe('a', 'e', 'topic')).toMatchObject({ added: true });
      expect(await backend.subscribe('a', 'e', 'topic')).toMatchObject({ added: false });
      expect(await backend.subscribe('a', 'f', 'topic')).toMatchObject({ added: true });
      expect(await backend.subscribe('a', 'e', 'other')).toMatchObject({ added: true });
      expect(await getNode('a')).toMatchObject({ subscriptions: 3 });
    }),

    defineRule('an endpoint is removed with all its subscriptions and no others', async (workshop) => {
      const { backend, register } = workshop;
      await register('a', 'b');
      await backend.subscribe('a', 'e', 'topic');
      await backend.subscribe('a', 'e', 'other.*');
      await backend.subscribe('a', 'e2', 'topic');
      await backend.subscribe('b', 'e', 'topic');
      expect(await backend.removeEndpoint('a', 'e')).toBe(2);
      expect(await backend.removeEndpoint('a', 'e')).toBe(0);
      expect(await backend.removeEndpoint('stranger', 'e')).toBe(0);
      expect(await backend.getSubscriptions(undefined, 0, -1)).toEqual([
        { nodeId: 'a', endpointId: 'e2', pattern: 'topic' },
        { nodeId: 'b', endpointId: 'e', pattern: 'topic' },
      ]);
      expect(await backend.getPatterns(0, -1)).toEqual([{ pattern: 'topic', subscriptions: 2 }]);
    }),

    defineRule('a node that is not registered cannot subscribe, nor one whose lease has ended', async (workshop) => {
      const { backend, register, endLease } = workshop;
      await register('late');
      await endLease('late');
      for (const id of ['stranger', 'late']) {
        await expect(backend.subscribe(id, 'e', 'topic')).rejects.toMatchObject({
          name: 'RelayError',
          code: RelayErrorCode.NodeNotRegistered,
          message: 'Relay node is not registered: topic',
        });
      }
    }),

    defineRule('topics and patterns may be subscribed to', async ({ backend, register }) => {
      await register('a');
      for (const pattern of [...topics, ...patterns]) {
        expect(await backend.subscribe('a', 'e', pattern)).toMatchObject({ added: true });
      }
    }),

    defineRule('what is no pattern is refused by name', async ({ backend, register }) => {
      await register('a');
      for (const pattern of noPatterns) {
        await expect(backend.subscribe('a', 'e', pattern)).rejects.toMatchObject({
          code: RelayErrorCode.InvalidPattern,
          message: `Invalid topic pattern${pattern === '' ? '' : `: ${pattern}`}`,
        });
      }
      expect(await backend.getCounts()).toMatchObject({ subscriptions: 0, patterns: 0 });
    }),

    defineRule('wrong ids go before a wrong pattern, and that before a missing node', async ({ backend }) => {
      const reasonOf = (nodeId: string, endpointId: string, pattern: string) =>
        backend.subscribe(nodeId, endpointId, pattern).catch((error: { code: unknown }) => error.code);
      expect(await reasonOf('a b', 'e', 'a..b')).toBe(RelayErrorCode.InvalidId);
      expect(await reasonOf('a', 'e', 'a..b')).toBe(RelayErrorCode.InvalidPattern);
      expect(await reasonOf('a', 'e', 'a.b')).toBe(RelayErrorCode.NodeNotRegistered);
    }),

    defineRule('topics may be published on, and nothing else', async ({ publish, backend }) => {
      for (const topic of topics) expect(await publish(topic)).toMatchObject({ nodes: 0 });
      for (const topic of [...noPatterns, ...patterns]) {
        const refused = {
          code: RelayErrorCode.InvalidTopic,
          message: `Invalid topic${topic === '' ? '' : `: ${topic}`}`,
        };
        await expect(publish(topic)).rejects.toMatchObject(refused);
        await expect(backend.deleteRetained(topic)).rejects.toMatchObject(refused);
      }
    }),
  ],
};
