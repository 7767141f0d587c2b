import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { onStopSignals } from '../../../src/engine/runtime/stop-signals.ts';

function setup(signals?: NodeJS.Signals[]) {
  const source = new EventEmitter();
  const calls: string[] = [];
  const remove = onStopSignals({
    warm: (signal) => calls.push(`warm ${signal}`),
    cold: (signal) => calls.push(`cold ${signal}`),
    source,
    ...(signals && { signals }),
  });
  const send = (...sent: NodeJS.Signals[]) => {
    for (const signal of sent) source.emit(signal, signal);
    return calls;
  };
  return { source, calls, remove, send };
}

test('the first signal is warm, the second is cold, whichever of the two they are', () => {
  expect(setup().send('SIGTERM', 'SIGINT')).toEqual(['warm SIGTERM', 'cold SIGINT']);
  expect(setup().send('SIGINT', 'SIGINT')).toEqual(['warm SIGINT', 'cold SIGINT']);
});

test('SIGQUIT is cold at once, and after a warm stop', () => {
  expect(setup().send('SIGQUIT')).toEqual(['cold SIGQUIT']);
  expect(setup().send('SIGTERM', 'SIGQUIT')).toEqual(['warm SIGTERM', 'cold SIGQUIT']);
});

test('nothing is called after cold', () => {
  expect(setup().send('SIGQUIT', 'SIGTERM', 'SIGINT', 'SIGQUIT')).toEqual(['cold SIGQUIT']);
});

test('other signals can be asked for', () => {
  expect(setup(['SIGHUP']).send('SIGTERM', 'SIGHUP')).toEqual(['warm SIGHUP']);
});

test('the handlers can be removed', () => {
  const { source, remove, send } = setup();
  remove();
  expect(source.eventNames()).toEqual([]);
  expect(send('SIGTERM')).toEqual([]);
});

test('the process is listened to by default', () => {
  const before = process.listenerCount('SIGQUIT');
  const remove = onStopSignals({ warm: () => {}, cold: () => {} });
  expect(process.listenerCount('SIGQUIT')).toBe(before + 1);
  remove();
  expect(process.listenerCount('SIGQUIT')).toBe(before);
});
