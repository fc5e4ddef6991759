import { describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { Dependence } from '../../../src/core/nat-behavior.ts';
import { type BehaviorEvent, type BehaviorProbeOptions, probeBehavior } from '../../../src/streams/behavior-probe.ts';
import { createPacketRouter } from '../../../src/streams/packet-router.ts';
import { type NatOptions, socketBehindNat, testClock, testRandom } from './world.ts';

const primary = endpoint('198.51.100.1', 3478);
const alternate = endpoint('198.51.100.2', 3479);
const both = { primary, alternate };
const plain = endpoint('198.51.100.9', 3478);
const dependences = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] satisfies Dependence[];
const nats = dependences.flatMap((mapping) => dependences.map((filtering) => ({ mapping, filtering })));

describe.each(nats)('a NAT with $mapping mapping and $filtering filtering', (nat) => {
  it('is recognised by one server with a second address', () => {
    const { run, behavior } = probe({ ...nat, servers: [both] }, { servers: [primary], filtering: true });
    run(6000);
    expect(behavior()).toMatchObject({ ...nat, portPreservation: false, translated: true });
  });

  it('is taken for no other on weaker evidence', () => {
    const { run, behavior } = probe({ ...nat, servers: [primary, plain] }, { servers: [primary, plain] });
    run(2000);
    const { mapping, filtering } = behavior();
    expect(mapping).toBe(nat.mapping === 'endpoint-independent' ? nat.mapping : 'unknown');
    expect(filtering).toBe('unknown');
  });
});

describe('the probe', () => {
  const easy: NatOptions = {
    mapping: 'endpoint-independent',
    filtering: 'endpoint-independent',
    servers: [primary, plain],
  };

  it('asks all servers at once and is done after one round trip', () => {
    const { run, socket, events, behavior } = probe(easy, { servers: [primary, plain, primary] });
    expect(socket.sent.map(({ to }) => formatEndpoint(to))).toEqual(['198.51.100.1:3478', '198.51.100.9:3478']);
    run(40);
    expect(events.map(({ type }) => type)).toEqual(['binding', 'binding', 'behavior', 'complete']);
    expect(behavior().evidence).toEqual([
      '198.51.100.1:3478 sees 192.168.1.2:5000 as 203.0.113.7:40000',
      '198.51.100.9:3478 sees 192.168.1.2:5000 as 203.0.113.7:40000',
    ]);
  });

  it('asks the other addresses of a server too: two round trips, four packets', () => {
    const nat = { ...easy, servers: [both], mapping: 'address-dependent' } satisfies NatOptions;
    const { run, socket, events, behavior } = probe(nat, { servers: [primary] });
    run(80);
    expect(socket.sent).toHaveLength(4);
    expect(events.map(({ type }) => type)).toEqual([
      'binding',
      'binding',
      'binding',
      'binding',
      'behavior',
      'complete',
    ]);
    expect(behavior()).toMatchObject({ mapping: 'address-dependent', filtering: 'unknown' });
  });

  it('ends after 2 s when a server is silent, having sent it 5 requests', () => {
    const dead = endpoint('198.51.100.77', 3478);
    const { run, clock, socket, events, behavior } = probe(easy, { servers: [dead, plain] });
    run(1999);
    expect(events.map(({ type }) => type)).toEqual(['binding']);
    run(1);
    expect(events.map(({ type }) => type)).toEqual(['binding', 'behavior', 'complete']);
    expect(socket.sent.filter(({ to }) => to === dead)).toHaveLength(5);
    expect(behavior().evidence).toContainEqual(expect.stringMatching(/198\.51\.100\.77:3478: no answer/));
    expect(clock.pending).toBe(0);
  });

  it('knows nothing without servers, and says so at once', () => {
    const { behavior } = probe(easy, { servers: [] });
    expect(behavior()).toEqual({
      mapping: 'unknown',
      filtering: 'unknown',
      portPreservation: 'unknown',
      translated: 'unknown',
      evidence: [],
    });
  });

  it('does not take the silence of a dead address for filtering', () => {
    const nat = { ...easy, servers: [both], dead: [alternate, endpoint(primary.address, alternate.port)] };
    const { run, behavior } = probe(nat, { servers: [primary], filtering: true });
    run(6000);
    expect(behavior().filtering).toBe('unknown');
    expect(behavior().evidence).toContain('198.51.100.1:3478 asked to answer from 198.51.100.2:3479: silent');
  });

  it('does not test filtering with a server that has no other address', () => {
    const { run, behavior } = probe(easy, { servers: [plain], filtering: true });
    run(40);
    expect(behavior().filtering).toBe('unknown');
    expect(behavior().evidence).toContain('198.51.100.9:3478: filtering not tested, for it has no other address');
  });

  it('leaves nothing behind when unsubscribed', () => {
    const { clock, socket, subscription, run } = probe(easy, { servers: [endpoint('198.51.100.77', 1)] });
    run(150);
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
    run(5000);
    expect(socket.sent).toHaveLength(2);
  });
});

type Seen = BehaviorEvent | { readonly type: 'complete' };

function probe(nat: NatOptions, options: Pick<BehaviorProbeOptions, 'servers' | 'filtering'>) {
  const clock = testClock();
  const socket = socketBehindNat(clock, nat);
  const router = createPacketRouter(socket);
  const events: Seen[] = [];
  const subscription = probeBehavior({
    router,
    clock,
    random: testRandom(),
    locals: [socket.local],
    ...options,
  }).subscribe({
    next: (event) => events.push(event),
    complete: () => events.push({ type: 'complete' }),
  });
  const behavior = () => {
    const found = events.find((event) => event.type === 'behavior');
    if (found === undefined) throw new Error('no behavior yet');
    return found.behavior;
  };
  return { clock, socket, events, subscription, behavior, run: (ms: number) => clock.advance(ms) };
}
