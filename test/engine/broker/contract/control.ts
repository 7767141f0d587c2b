import { expect } from 'vitest';
import { type ControlMember, type ControlRequest, createNodeId } from '../../../../src/engine/broker/control-port.ts';
import type { Broker } from '../../../../src/engine/broker/port.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { type Channel, createChannel } from '../channel.ts';
import type { Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

let names = 0;

/** A worker's name that no other test uses. */
function workerName(): string {
  names += 1;
  return `worker-${process.pid}-${names}`;
}

/** Longer than any answer takes; a test that waits for it has failed. */
const LONG_MS = 30_000;

interface Member {
  readonly id: string;
  readonly name: string;
  readonly heard: Channel<ControlRequest>;
  readonly foreign: Channel<string>;
  leave(): Promise<void>;
}

async function join(
  { broker, afterwards }: Workshop,
  { on = broker, ...member }: Partial<ControlMember> & { readonly on?: Broker } = {},
): Promise<Member> {
  const { id = createNodeId(), name = workerName() } = member;
  const heard = createChannel<ControlRequest>();
  const foreign = createChannel<string>();
  const membership = await on.control.join({
    onForeign: (reason) => foreign.push(reason),
    ...member,
    id,
    name,
    handle(request) {
      heard.push(request);
      return member.handle?.(request) ?? { value: `${name} heard ${request.command}` };
    },
  });
  afterwards(() => membership.leave());
  return { id, name, heard, foreign, leave: () => membership.leave() };
}

const ok = (value: unknown) => ({ ok: true, value });

/** The bus of these tests is shared by all of them, so each asks the workers that it made. */
const ask = (broker: Broker, destinations: readonly string[], command = 'ping', args: unknown = null) =>
  broker.control.ask({ command, args, destinations, timeoutMs: LONG_MS });

/** A node of plain BullMQ on the bus: an application that is no tq. */
const strangerOf = ({ plainRelay }: Workshop) => plainRelay({ namespace: 'tq' });

export const control: Subject = {
  subject: 'control bus',
  rules: [
    defineRule('a worker is listed from when it has joined until it has left', async (workshop) => {
      const other = await workshop.openBroker();
      const member = await join(workshop);
      const find = async () => (await other.control.listNodes()).find(({ name }) => name === member.name);
      expect(await find()).toEqual({
        id: member.id,
        name: member.name,
        host: expect.stringMatching(/./),
        pid: process.pid,
        since: expect.any(Number),
      });
      await member.leave();
      expect(await find()).toBeUndefined();
    }),

    defineRule('every live worker is asked, and the asker returns when all have answered', async (workshop) => {
      const asking = await workshop.openBroker();
      const [one, two] = [await join(workshop), await join(workshop, { on: await workshop.openBroker() })];
      const { answers, silent } = await asking.control.ask({
        command: 'ping',
        args: { deep: [1] },
        timeoutMs: LONG_MS,
      });
      expect(silent).toEqual([]);
      expect([...answers]).toEqual([
        [one.name, ok(`${one.name} heard ping`)],
        [two.name, ok(`${two.name} heard ping`)],
      ]);
      expect(one.heard.all).toEqual([{ command: 'ping', args: { deep: [1] } }]);
    }),

    defineRule(
      'a question reaches its destinations alone, and one that is not live is silent at once',
      async (workshop) => {
        const [one, two] = [await join(workshop), await join(workshop)];
        const { answers, silent } = await ask(workshop.broker, [two.name, 'nobody', two.name]);
        expect([...answers.keys()]).toEqual([two.name]);
        expect(silent).toEqual(['nobody']);
        expect({ one: one.heard.all.length, two: two.heard.all.length }).toEqual({ one: 0, two: 1 });
        expect(await ask(workshop.broker, ['nobody'])).toEqual({ answers: new Map(), silent: ['nobody'] });
      },
    ),

    defineRule('a worker that does not answer in time is named, beside the answers of the others', async (workshop) => {
      const one = await join(workshop);
      const gate = workshop.gate<never>();
      const mute = await join(workshop, { handle: () => gate.promise });
      const question = { command: 'ping', args: null, destinations: [one.name, mute.name], timeoutMs: 500 };
      const { answers, silent } = await workshop.broker.control.ask(question);
      expect([...answers.keys()]).toEqual([one.name]);
      expect(silent).toEqual([mute.name]);
    }),

    defineRule('a worker that leaves while it is asked is not waited for', async (workshop) => {
      const gate = workshop.gate<never>();
      const leaving = await join(workshop, { handle: () => gate.promise });
      const asked = ask(workshop.broker, [leaving.name]);
      await leaving.heard.next();
      await leaving.leave();
      expect(await asked).toEqual({ answers: new Map(), silent: [] });
    }),

    defineRule('a worker that died is listed until its lease ends', async (workshop) => {
      const { broker, plainRelay } = workshop;
      const name = workerName();
      const options = { namespace: 'tq', nodeId: createNodeId(), name, leaseDuration: 1500 };
      const doomed = await plainRelay({ ...options, heartbeatInterval: 60_000 });
      for (const topic of ['control.all', `control.worker.${options.nodeId}`]) {
        await doomed.subscribe(topic, () => undefined);
      }
      const isListed = async () => (await broker.control.listNodes()).some((node) => node.name === name);
      expect(await isListed()).toBe(true);
      await waitFor('the lease to end', async () => !(await isListed()));
      expect(await ask(broker, [name])).toEqual({ answers: new Map(), silent: [name] });
    }),

    defineRule('of two nodes with one name, the younger is the worker', async (workshop) => {
      const name = workerName();
      const older = await join(workshop, { name });
      // A store that counts in milliseconds could not tell which of the two came first.
      const { since } = (await workshop.broker.control.listNodes()).find((node) => node.id === older.id) ?? {
        since: 0,
      };
      await waitFor('the next millisecond', () => systemClock.now() > since + 1);
      const younger = await join(workshop, { name, handle: () => ({ value: 'the younger' }) });
      const { answers, silent } = await ask(workshop.broker, [name]);
      expect([...answers]).toEqual([[name, ok('the younger')]]);
      expect(silent).toEqual([]);
      expect(older.heard.all).toEqual([]);
      expect((await workshop.broker.control.listNodes()).filter((node) => node.name === name)).toMatchObject([
        { id: younger.id },
      ]);
    }),

    defineRule('what a worker throws is its answer', async (workshop) => {
      const failing = await join(workshop, {
        handle() {
          throw new Error('no such luck');
        },
      });
      const { answers } = await ask(workshop.broker, [failing.name]);
      expect(answers.get(failing.name)).toEqual({ ok: false, error: { code: 'INTERNAL', message: 'no such luck' } });
    }),

    defineRule('an answer that is too large, or no JSON, is an error and not lost', async (workshop) => {
      const values: Record<string, unknown> = { large: 'ü'.repeat(300_000), odd: 1n };
      const member = await join(workshop, { handle: ({ command }) => ({ value: values[command] }) });
      const answerTo = async (command: string) =>
        (await ask(workshop.broker, [member.name], command)).answers.get(member.name);
      expect(await answerTo('large')).toMatchObject({
        ok: false,
        error: { code: 'REPLY_TOO_LARGE', message: expect.stringContaining(member.name) },
      });
      expect(await answerTo('odd')).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
      expect(await answerTo('fits')).toEqual({ ok: true });
    }),

    defineRule('a question that is too large is refused before anybody hears it', async (workshop) => {
      const member = await join(workshop);
      await expect(ask(workshop.broker, [member.name], 'ping', 'x'.repeat(600_000))).rejects.toMatchObject({
        code: 'INVALID_OPTION',
      });
      expect(member.heard.all).toEqual([]);
    }),

    defineRule('what follows an answer happens when the answer is out', async (workshop) => {
      const after = createChannel<string>();
      const member = await join(workshop, {
        handle: () => ({ value: 'stopping', afterwards: () => after.push('stopped') }),
      });
      const { answers } = await ask(workshop.broker, [member.name]);
      expect(answers.get(member.name)).toEqual(ok('stopping'));
      expect(await after.next()).toBe('stopped');
    }),

    defineRule('questions that are asked at once get each their own answers', async (workshop) => {
      const member = await join(workshop, { handle: ({ args }) => ({ value: args }) });
      const asked = [1, 2, 3, 4].map((number) => ask(workshop.broker, [member.name], 'echo', number));
      const values = (await Promise.all(asked)).map(({ answers }) => answers.get(member.name));
      expect(values).toEqual([1, 2, 3, 4].map(ok));
    }),

    defineRule('a message that is none of ours is ignored, and said once', async (workshop) => {
      const member = await join(workshop);
      const relay = await strangerOf(workshop);
      const request = { v: 1, command: 'ping', args: null, replyTo: 'control.reply.x.y' };
      const foreign = [
        'a text',
        null,
        [],
        {},
        { ...request, v: 2 },
        { ...request, command: 7 },
        { ...request, replyTo: 'q' },
      ];
      for (const message of foreign) await relay.publish('control.all', message);
      expect(await member.foreign.next()).toBe('it is no object');
      expect((await ask(workshop.broker, [member.name])).silent).toEqual([]);
      expect(member.foreign.all).toHaveLength(1);
      expect(member.heard.all).toHaveLength(1);
    }),

    defineRule('an answer that is none of ours, or of a node that was not asked, is passed by', async (workshop) => {
      const gate = workshop.gate<{ value: unknown }>();
      const member = await join(workshop, { handle: () => gate.promise });
      const relay = await strangerOf(workshop);
      const seen = createChannel<{ replyTo: string }>();
      await relay.subscribe(`control.worker.${member.id}`, ({ data }) => seen.push(data as { replyTo: string }));
      const asked = ask(workshop.broker, [member.name]);
      const { replyTo } = await seen.next();
      const answer = { v: 1, node: member.id, answer: { ok: true, value: 'false' } };
      for (const message of [
        'x',
        { ...answer, v: 9 },
        { ...answer, node: 'other' },
        { ...answer, answer: { ok: 1 } },
      ]) {
        await relay.publish(replyTo, message);
      }
      gate.resolve({ value: 'true' });
      expect((await asked).answers.get(member.name)).toEqual(ok('true'));
    }),

    defineRule('a node whose lease was lost joins again by itself', async (workshop) => {
      const member = await join(workshop, { leaseMs: 600 });
      const relay = await strangerOf(workshop);
      const { backend } = relay as unknown as { backend: { unregisterNode(id: string): Promise<boolean> } };
      expect(await backend.unregisterNode(member.id)).toBe(true);
      await waitFor('the worker to be listed again', async () =>
        (await workshop.broker.control.listNodes()).some(({ id }) => id === member.id),
      );
      expect((await ask(workshop.broker, [member.name])).silent).toEqual([]);
    }),

    defineRule('the bus is no queue', async (workshop) => {
      const member = await join(workshop);
      await ask(workshop.broker, [member.name]);
      expect((await workshop.broker.listQueues()).filter((name) => /relay|control|tq/.test(name))).toEqual([]);
    }),
  ],
};
