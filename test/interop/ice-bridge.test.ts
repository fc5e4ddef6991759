import { filter, firstValueFrom, lastValueFrom, type Observable, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { DecodeError, TraversalError } from '../../src/core/errors.ts';
import type { DatagramSocket, Network } from '../../src/core/network.ts';
import { createIceBridge, type IceBridge } from '../../src/testing/index.ts';
import { fastClock, introduce, loopbackEnvironment, openBridge, tieBreaker } from './loopback.ts';

async function openPair(): Promise<[IceBridge, IceBridge]> {
  return Promise.all([openBridge('controlling'), openBridge('controlled')]);
}

const inGeneration = (bridge: IceBridge, generation: number) =>
  firstValueFrom(bridge.nominated$.pipe(filter((pair) => pair.generation === generation)));

/** Both have the same pair in these generations. */
async function expectAgreement(
  a: IceBridge,
  b: IceBridge,
  generation = 0,
  theirGeneration = generation,
): Promise<void> {
  const [ours, theirs] = await Promise.all([inGeneration(a, generation), inGeneration(b, theirGeneration)]);
  expect(ours.local).toEqual(theirs.remote);
  expect(ours.remote).toEqual(theirs.local);
}

const event = (bridge: IceBridge, type: string) =>
  firstValueFrom(bridge.events$.pipe(filter((each) => each.type === type)));

describe('two bridges', () => {
  it('agree on a pair', async () => {
    const [a, b] = await openPair();
    introduce(a, b);
    await expectAgreement(a, b);
    expect([a.role, b.role]).toEqual(['controlling', 'controlled']);
  });

  it.each(['controlling', 'controlled'] as const)('that both claim to be %s settle it', async (role) => {
    const a = await openBridge(role, tieBreaker('lowest'));
    const b = await openBridge(role, tieBreaker('highest'));
    introduce(a, b);
    await expectAgreement(a, b);
    expect([a.role, b.role]).toEqual(['controlled', 'controlling']);
  });

  it('carry datagrams that begin with any byte, and are empty', async () => {
    const [a, b] = await openPair();
    introduce(a, b);
    await expectAgreement(a, b);
    b.datagrams$.subscribe((data) => b.send(data));
    const sent = [Buffer.alloc(0), ...Array.from({ length: 256 }, (_, byte) => Buffer.alloc(byte + 1, byte))];
    const echoed = firstValueFrom(a.datagrams$.pipe(take(sent.length), toArray()));
    for (const data of sent) a.send(data);
    expect((await echoed).map((data) => Buffer.from(data).toString('hex'))).toEqual(
      sent.map((data) => data.toString('hex')),
    );
  });

  it('take no data from strangers', async () => {
    const [a, b] = await openPair();
    introduce(a, b);
    await expectAgreement(a, b);
    const stranger = await loopbackEnvironment().network.udp({ family: 4, address: '127.0.0.1' });
    stranger.send(Buffer.from('strange'), a.nominated!.local);
    await expect.poll(() => a.counters.strangers).toBe(1);
    stranger.close();
    const received = firstValueFrom(a.datagrams$);
    b.send(Buffer.from('known'));
    expect(Buffer.from(await received).toString()).toBe('known');
  });

  it('without a common secret have no pair, and end their checks', async () => {
    const clock = fastClock();
    const [a, b] = await Promise.all([openBridge('controlling', { clock }), openBridge('controlled', { clock })]);
    const ended = Promise.all([event(a, 'checks.exhausted'), event(b, 'checks.exhausted')]);
    a.feed({ ...b.local, pwd: a.local.pwd });
    b.feed({ ...a.local, pwd: b.local.pwd });
    await ended;
    for (const bridge of [a, b]) {
      expect(bridge.nominated).toBeUndefined();
      expect(bridge.snapshot()?.dropped.unauthenticated).toBeGreaterThan(0);
    }
  });
});

describe('a restart', () => {
  it('is joined by the other side, and moves to new credentials on the same sockets', async () => {
    const [a, b] = await openPair();
    introduce(a, b);
    await expectAgreement(a, b);
    const before = [a.local, b.local].map(({ ufrag, candidates }) => ({ ufrag, candidates }));
    a.restart();
    await expectAgreement(a, b, 1);
    for (const [i, { local }] of [a, b].entries()) {
      expect(local.ufrag).not.toBe(before[i]!.ufrag);
      expect(local.candidates).toEqual(before[i]!.candidates);
    }
  });

  it('leaves the old pair in use until there is a new one', async () => {
    const [a, b] = await openPair();
    const part = introduce(a, b);
    await expectAgreement(a, b);
    part();
    const old = a.nominated;
    a.restart();
    a.restart();
    expect(a.nominated).toBe(old);
    const received = firstValueFrom(b.datagrams$);
    expect(a.send(Buffer.from('still here'))).toBe(true);
    expect(Buffer.from(await received).toString()).toBe('still here');
    introduce(a, b);
    await expectAgreement(a, b, 2, 1);
  });

  it('does not take up what the other side told before', async () => {
    const [a, b] = await openPair();
    const part = introduce(a, b);
    await expectAgreement(a, b);
    part();
    a.restart();
    a.feed(b.local);
    expect(a.snapshot()).toBeUndefined();
  });
});

describe('candidate lines', () => {
  const line = (address: string, rest = '') => `candidate:1 1 udp 2130706431 ${address} 9 typ host${rest}`;

  it('that are useless are ignored and counted, once each', async () => {
    const bridge = await openBridge('controlled');
    const candidates = [
      'candidate:1 2 udp 1 127.0.0.1 9 typ host',
      'candidate:1 1 sctp 1 127.0.0.1 9 typ host',
      line('peer.example'),
      line('127.0.0.1', ' ufrag older'),
    ];
    for (let i = 0; i < 2; i++) bridge.feed({ ufrag: 'abcd', pwd: 'p'.repeat(22), candidates });
    expect(bridge.counters.ignored).toEqual({ useless: 3, unresolved: 0, stale: 1, tooMany: 0 });
    expect(bridge.snapshot()?.remote).toEqual([]);
  });

  it('that are malformed throw, and so do credentials', async () => {
    const bridge = await openBridge('controlled');
    expect(() => bridge.feed({ candidates: ['candidate:1'] })).toThrow(DecodeError);
    expect(() => bridge.feed({ ufrag: 'a', pwd: 'p'.repeat(22) })).toThrow(DecodeError);
    expect(bridge.snapshot()).toBeUndefined();
  });

  /** Knows the names that are asked for in the tests, or never answers. */
  function resolver(names: Record<string, readonly string[]>): { network: Network; asked: string[] } {
    const { network } = loopbackEnvironment();
    const asked: string[] = [];
    const resolve: Network['resolve'] = (host, options) => {
      asked.push(host);
      const known = names[host];
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((_, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new TraversalError('ERR_ABORTED', 'too late')));
      });
    };
    return { network: { ...network, resolve }, asked };
  }

  it('with a Multicast DNS name are looked up, and the end of candidates waits for them', async () => {
    const { network } = resolver({ 'here.local': ['127.0.0.1'] });
    const [a, b] = await Promise.all([openBridge('controlling', { network }), openBridge('controlled')]);
    const events = firstValueFrom(a.events$);
    const hidden = b.local.candidates.map((each) => each.replace('127.0.0.1', 'here.local'));
    b.feed({ ...a.local, candidates: [], end: true });
    a.feed({ ...b.local, candidates: hidden, end: true });
    expect((await events).type).not.toBe('checks.exhausted');
    await expectAgreement(a, b);
    expect(a.counters.ignored.unresolved).toBe(0);
  });

  it('with a Multicast DNS name of two families give the IPv6 candidate', async () => {
    const { network } = resolver({ 'both.local': ['192.0.2.7', '2001:db8::7', '2001:db8::8'] });
    const bridge = await openBridge('controlled', { network });
    bridge.feed({ ufrag: 'abcd', pwd: 'p'.repeat(22), candidates: [line('both.local')] });
    await expect.poll(() => bridge.snapshot()?.remote.map(({ endpoint }) => endpoint.address)).toEqual(['2001:db8::7']);
  });

  it('with names that nobody knows are given up after 3 s, and at most 8 are asked for', async () => {
    const { network, asked } = resolver({});
    const clock = fastClock();
    const bridge = await openBridge('controlled', { network, clock });
    const exhausted = event(bridge, 'checks.exhausted');
    const start = clock.now();
    const candidates = Array.from({ length: 10 }, (_, i) => line(`nobody${i}.local`));
    bridge.feed({ ufrag: 'abcd', pwd: 'p'.repeat(22), candidates, end: true });
    expect(await exhausted).toMatchObject({ reason: 'all-failed' });
    expect(clock.now() - start).toBeGreaterThanOrEqual(3000);
    expect(asked).toHaveLength(8);
    expect(bridge.counters.ignored.unresolved).toBe(10);
  });
});

describe('closing', () => {
  it('closes every socket, ends every stream, and makes late calls harmless', async () => {
    const { network, clock } = loopbackEnvironment();
    const sockets: DatagramSocket[] = [];
    const udp: Network['udp'] = async (options) => {
      const socket = await network.udp(options);
      sockets.push(socket);
      return socket;
    };
    const timers = new Set<unknown>();
    const counted: Clock = {
      ...clock,
      setTimeout(callback, delay) {
        const timer = clock.setTimeout(() => {
          timers.delete(timer);
          callback();
        }, delay);
        timers.add(timer);
        return timer;
      },
      clearTimeout(timer) {
        timers.delete(timer);
        clock.clearTimeout(timer);
      },
    };
    const [a, b] = await Promise.all([
      openBridge('controlling', { network: { ...network, udp }, clock: counted }),
      openBridge('controlled'),
    ]);
    introduce(a, b);
    const streams: Observable<unknown>[] = [a.local$, a.nominated$, a.events$, a.datagrams$];
    streams.push(...sockets.map(({ datagrams$ }) => datagrams$));
    const ended = streams.map((stream$) => lastValueFrom(stream$, { defaultValue: 'nothing' }));
    a.close();
    await Promise.all(ended);
    expect(sockets.length).toBeGreaterThan(0);
    expect(a.send(Buffer.from('late'))).toBe(false);
    a.restart();
    a.feed({ ...b.local, ufrag: 'another' });
    a.close();
    expect(timers.size).toBe(0);
  });

  it('is not needed where no socket could be opened', async () => {
    const env = loopbackEnvironment();
    const udp = () => Promise.reject(new TraversalError('ERR_NETWORK', 'no sockets here'));
    const opening = createIceBridge({ env: { ...env, network: { ...env.network, udp } }, role: 'controlled' });
    await expect(opening).rejects.toMatchObject({ code: 'ERR_NETWORK' });
  });
});
