import { filter, firstValueFrom, map } from 'rxjs';
import { expect, it } from 'vitest';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import type { IceBridge } from '../../src/testing/index.ts';
import { fastClock, openBridge, tieBreaker } from './loopback.ts';
import { Werift } from './werift.ts';

/** Both have the same pair, and a datagram goes there and back. */
async function expectPair(bridge: IceBridge, werift: Werift): Promise<void> {
  const [ours, theirs] = await Promise.all([firstValueFrom(bridge.nominated$), werift.nominated()]);
  expect({ local: formatEndpoint(ours.remote), remote: formatEndpoint(ours.local) }).toEqual(theirs);
  await expectEcho(bridge);
}

async function expectEcho(bridge: IceBridge): Promise<void> {
  const echo = firstValueFrom(bridge.datagrams$.pipe(map((data) => Buffer.from(data).toString())));
  expect(bridge.send(Buffer.from('there and back'))).toBe(true);
  expect(await echo).toBe('there and back');
}

const exhausted = (bridge: IceBridge) =>
  firstValueFrom(bridge.events$.pipe(filter(({ type }) => type === 'checks.exhausted')));

/** Nobody answers there. */
const deadCandidate = (port: number): string =>
  `candidate:dead${port} 1 udp ${2 ** 30 + port} 127.0.0.1 ${port} typ host`;

it.each([
  ['controlling', 'controlled'],
  ['controlled', 'controlling'],
] as const)('werift %s, we %s', async (theirs, ours) => {
  const [bridge, werift] = [await openBridge(ours), new Werift(theirs)];
  await werift.meet(bridge);
  await expectPair(bridge, werift);
  expect([bridge.role, werift.role]).toEqual([ours, theirs]);
});

it.each([
  ['controlling', 'highest', 'controlling'],
  ['controlling', 'lowest', 'controlled'],
  ['controlled', 'highest', 'controlling'],
  ['controlled', 'lowest', 'controlled'],
] as const)('both claim to be %s, our tie-breaker is the %s: we are %s in the end', async (claimed, ours, inTheEnd) => {
  const [bridge, werift] = [await openBridge(claimed, tieBreaker(ours)), new Werift(claimed)];
  await werift.meet(bridge);
  await expectPair(bridge, werift);
  expect(bridge.role).toBe(inTheEnd);
  expect(werift.role).toBe(inTheEnd === 'controlling' ? 'controlled' : 'controlling');
});

it('several addresses, aggressively nominated: data flows whichever pair each side has', async () => {
  const [bridge, werift] = [await openBridge('controlled'), new Werift('controlling', ['127.0.0.1', '127.0.0.2'])];
  await werift.meet(bridge);
  await Promise.all([werift.nominated(), firstValueFrom(bridge.nominated$)]);
  await expectEcho(bridge);
  const best = bridge.snapshot()?.pairs.find(({ nominated }) => nominated);
  expect(bridge.nominated?.pairId).toBe(best?.id);
});

it('candidates that trickle in one by one, after the checks have begun', async () => {
  const [bridge, werift] = [await openBridge('controlling'), new Werift('controlled')];
  const candidates = await werift.gather();
  werift.tell(bridge, []);
  werift.hear(bridge, { candidates: [] });
  expect(bridge.snapshot()?.pairs).toEqual([]);
  bridge.feed({ candidates });
  for (const line of bridge.local.candidates) werift.hearCandidate(line);
  await expectPair(bridge, werift);
});

it('a candidate that comes when all checks have failed', async () => {
  const [bridge, werift] = [await openBridge('controlling', { clock: fastClock() }), new Werift('controlled')];
  const candidates = await werift.gather();
  werift.tell(bridge, [deadCandidate(1)]);
  await exhausted(bridge);
  werift.hear(bridge);
  bridge.feed({ candidates });
  await expectPair(bridge, werift);
});

it('wrong passwords make no pair', async () => {
  const [bridge, werift] = [await openBridge('controlling', { clock: fastClock() }), new Werift('controlled')];
  const candidates = await werift.gather();
  bridge.feed({ ufrag: werift.connection.localUsername, pwd: 'wrong'.repeat(5), candidates, end: true });
  werift.hear(bridge, { pwd: 'wrong'.repeat(5) });
  await exhausted(bridge);
  expect(bridge.nominated).toBeUndefined();
  expect(bridge.send(Buffer.from('to nobody'))).toBe(false);
  expect(bridge.snapshot()?.dropped.unauthenticated).toBeGreaterThan(0);
  expect(bridge.snapshot()?.pairs.map(({ state }) => state)).not.toContain('succeeded');
  expect(werift.connection.nominated).toBeUndefined();
});

it('a flood of candidates keeps nobody out and is bounded', async () => {
  const [bridge, werift] = [await openBridge('controlled'), new Werift('controlling')];
  const flood = Array.from({ length: 150 }, (_, i) => deadCandidate(i + 1));
  await werift.gather();
  werift.tell(bridge, flood);
  werift.hear(bridge);
  await expectPair(bridge, werift);
  expect(bridge.snapshot()?.remote).toHaveLength(32 + 1);
  expect(bridge.snapshot()?.dropped['too-many-candidates']).toBe(100 - 32);
  expect(bridge.counters.ignored.tooMany).toBe(50);
});

it('restarts, werift first and then we, on the same sockets', async () => {
  const [bridge, werift] = [await openBridge('controlling'), new Werift('controlled')];
  await werift.meet(bridge);
  await expectPair(bridge, werift);
  const { local, nominated } = bridge;
  for (const generation of [1, 2]) {
    if (generation === 2) bridge.restart();
    await werift.connection.restart();
    await werift.meet(bridge);
    await firstValueFrom(bridge.nominated$.pipe(filter((pair) => pair.generation === generation)));
    await expectPair(bridge, werift);
    expect(bridge.nominated).toEqual({ ...nominated, generation });
  }
  expect(bridge.local.ufrag).not.toBe(local.ufrag);
  expect(bridge.local.candidates).toEqual(local.candidates);
});
