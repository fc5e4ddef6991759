import { expect, test } from 'vitest';
import { AttemptLog } from '../../src/peer/attempt-log.ts';

const ran = (strategy: string, ok: boolean, reason: string) => ({ strategy, ok, reason, startedAt: 0, endedAt: 1 });
const told = (step: string, strategy: string, reason: string) => ({
  attempts: [{ step, strategy, ok: false, reason }],
});
const reasons = (log: AttemptLog) => log.list().map(({ strategy, reason }) => `${strategy}: ${reason}`);

test('a run that was abandoned gets its reason from its machine', () => {
  const log = new AttemptLog();
  log.add('punch.race.spray', ran('spray', false, 'not wanted any more'), { note: '; 2 sockets', abandoned: true });
  log.note(told('punch.race.spray', 'spray', 'checks was faster'), 1);
  expect(reasons(log)).toEqual(['spray: checks was faster; 2 sockets']);
});

test('a step that was skipped is told at the time when it was', () => {
  const log = new AttemptLog();
  log.note(told('punch.predict', 'predict', 'skipped'), 7);
  expect(log.list()).toEqual([{ strategy: 'predict', ok: false, reason: 'skipped', startedAt: 7, endedAt: 7 }]);
});

test('what a desk has run is told once, whether its step is heard of before or after', () => {
  const log = new AttemptLog();
  log.note(told('punch.race.spray', 'spray', 'checks was faster'), 1);
  log.add('desk.spray', ran('spray', true, 'path 1'));
  log.note(told('punch.race.spray', 'spray', 'path 1'), 2);
  expect(reasons(log)).toEqual(['spray: path 1']);
});

test('a desk says why it has abandoned a run', () => {
  const log = new AttemptLog();
  log.add('desk.spray', ran('spray', false, 'not wanted any more'), { abandoned: true });
  log.explainAtDesk('spray', 'the other side called it off');
  log.explainAtDesk('spray', 'said too late');
  expect(reasons(log)).toEqual(['spray: the other side called it off']);
});

test('a step that waited for the other side in vain says so', () => {
  const log = new AttemptLog();
  log.note(
    {
      attempts: [
        { step: 'punch.spray', strategy: 'spray', ok: false, reason: 'not done within 12 s', code: 'ERR_TIMEOUT' },
      ],
    },
    1,
  );
  expect(reasons(log)).toEqual(['spray: not done within 12 s: the other side did not propose it']);
});

test('a desk says once why it declines', () => {
  const log = new AttemptLog();
  for (let i = 0; i < 3; i++) log.refuse('spray', 'declined: version 2 here', i);
  log.note(told('punch.race.spray', 'spray', 'checks was faster'), 4);
  expect(reasons(log)).toEqual(['spray: declined: version 2 here']);
});

test('keeps the latest 64', () => {
  const log = new AttemptLog();
  for (let i = 0; i < 70; i++) log.add(`punch.${i}`, ran('checks', false, `${i}`));
  expect(log.list().map(({ reason }) => Number(reason))).toEqual(Array.from({ length: 64 }, (_, i) => i + 6));
});

test('what ran after the close is left out, and what was skipped is not', () => {
  const log = new AttemptLog();
  for (const at of [3, 5])
    log.add('relay', { strategy: 'relay', ok: false, reason: `at ${at}`, startedAt: at, endedAt: at });
  log.note({ attempts: [{ step: 'predict', strategy: 'predict', ok: false, reason: 'skipped' }] }, 6);
  expect(log.list(4).map(({ reason }) => reason)).toEqual(['at 3', 'skipped']);
});
