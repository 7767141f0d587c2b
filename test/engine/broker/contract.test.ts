import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { brokersUnderTest } from '../../support/brokers.ts';
import { contract } from './contract.ts';
import { createStore, openWorkshop, type Workshop } from './workshop.ts';

test('every rule of the contract has a title of its own', () => {
  const titles = contract.flatMap(({ rules }) => rules.map(({ title }) => title));
  expect(new Set(titles).size).toBe(titles.length);
});

describe.each(brokersUnderTest())('on $name', (underTest) => {
  let url: string;
  let workshop: Workshop;
  beforeAll(async () => {
    url = await createStore(underTest);
  });
  beforeEach(async () => {
    workshop = await openWorkshop(underTest.name, url);
  });
  afterEach(() => workshop.close());

  describe.each(contract)('$subject:', ({ rules }) => {
    for (const { title, holds, overWire, timeoutMs } of rules) {
      if (overWire === true && underTest.name === 'sqlite') continue;
      test(title, () => holds(workshop), timeoutMs);
    }
  });
});
