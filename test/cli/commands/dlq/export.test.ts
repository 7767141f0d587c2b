import { expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

function setup() {
  return createFakeSession(new FakeBroker().store('mail', { id: 'w' }, { id: 'd', state: 'FAILURE', finishedAt: 1 }));
}

test('dead letters are chosen as by the other commands about them', async () => {
  expect(await parseInput('dlq', 'export', '--fingerprint', '1f3870be')).toMatchObject({
    choice: { where: 'fingerprint:"1f3870be"' },
  });
});

test('only dead letters are written', async () => {
  const ran = await run(['dlq', 'export', '--all'], { session: setup() });
  expect(ran).toMatchObject({ exitCode: 0, stderr: 'exported 1 job\n' });
  expect(JSON.parse(ran.stdout)).toMatchObject({ v: 1, id: 'd', place: 'dead' });
});

test('a named job that is none is left out, and named', async () => {
  expect(await run(['dlq', 'export', 'w', 'd'], { session: setup() })).toMatchObject({
    ...{ exitCode: 1, stderr: 'w: it is no dead letter\nexported 1 job\n' },
  });
});
