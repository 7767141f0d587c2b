import { expect, test } from 'vitest';
import { z } from 'zod';
import { type DataPatch, patchData } from '../../../src/engine/deadletter/data-patch.ts';
import { defineTask } from '../../../src/engine/task/definition.ts';

const merge = (patch: Record<string, unknown>): DataPatch => ({ kind: 'merge', patch });
const ask = { id: 'j1', definition: undefined };

test('a patch is merged into the first argument, and nothing else is written anew', async () => {
  const data = '{"args":[{"to":"a","n":12345678901234567890},1.0],"meta":{"requestId":"r"}}';
  expect(await patchData(data, merge({ to: 'b' }), ask)).toEqual({
    data: '{"args":[{"to":"b","n":12345678901234567890},1.0],"meta":{"requestId":"r"}}',
    differences: [{ path: 'args.0.to', before: '"a"', after: '"b"' }],
  });
});

test('the data of a plain BullMQ producer is the argument itself', async () => {
  expect(await patchData('{"to":"a","args":[1]}', merge({ to: 'b' }), ask)).toMatchObject({
    data: '{"to":"b","args":[1]}',
  });
});

test('all arguments can be replaced', async () => {
  const patch: DataPatch = { kind: 'replace', args: [1, 2] };
  expect((await patchData('{"args":[],"meta":{}}', patch, ask)).data).toBe('{"args":[1,2],"meta":{}}');
  await expect(patchData('{"to":"a"}', patch, ask)).rejects.toMatchObject({ code: 'PATCH_REFUSED' });
});

test.each(['{"args":[],"meta":{}}', '{"args":[7],"meta":{}}', '{"args":[12345678901234567890],"meta":{}}', '[]', 'no'])(
  'a patch is refused where there is no object to merge it into: %s',
  async (data) => {
    await expect(patchData(data, merge({ to: 'b' }), ask)).rejects.toMatchObject({
      code: 'PATCH_REFUSED',
      message: expect.stringContaining('j1'),
    });
  },
);

test('what the task would refuse is refused before it is stored', async () => {
  const definition = defineTask('email.send', { input: z.object({ to: z.email() }) }, () => null);
  const patching = patchData('{"args":[{"to":"a@b.de"}],"meta":{}}', merge({ to: 7 }), { id: 'j1', definition });
  await expect(patching).rejects.toMatchObject({
    code: 'INVALID_ARGUMENTS',
    message: expect.stringContaining('input.to'),
  });
});
