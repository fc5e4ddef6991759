import { describe, expect, it } from 'vitest';
import { type Candidate, candidatePriority, DISCARD_PORT, type TcpType, UDP } from '../../../src/core/candidate.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceAgent, type IceEvent, type IceOutput } from '../../../src/protocol/ice/index.ts';
import { decodeMessage } from '../../../src/protocol/stun/index.ts';
import { candidate, signalled } from './internet.ts';
import { checkFromRight } from './messages.ts';
import { leftOptions, rightOptions } from './pair-of-agents.ts';

type Transmission = Extract<IceOutput, { type: 'transmit' }>;

const LEFT_AT = endpoint('198.51.100.2', DISCARD_PORT);
const RIGHT_AT = endpoint('203.0.113.2', 6001);
/** As the right side sees the left one's connection. */
const CALLER = endpoint('198.51.100.2', 49_152);
const ACTIVE = { transport: 'tcp', tcpType: 'active' } as const;
const PASSIVE = { transport: 'tcp', tcpType: 'passive' } as const;
const ID = 'tcp4>203.0.113.2:6001';

function tcpHost(at: Endpoint, tcpType: TcpType): Candidate {
  const transport = { transport: 'tcp', tcpType } as const;
  const priority = candidatePriority('host', 65_535, transport);
  return { ...transport, type: 'host', endpoint: at, base: at, priority, foundation: `tcp${at.address}` };
}

interface Side {
  readonly agent: IceAgent;
  readonly events: IceEvent[];
}

/** What an agent asks for now; its events are noted. */
function outputs({ agent, events }: Side, now: number): Transmission[] {
  const sent: Transmission[] = [];
  for (let output = agent.poll(now); output.type !== 'wait'; output = agent.poll(now)) {
    if (output.type === 'transmit') sent.push(output);
    if (output.type === 'event') events.push(output.event);
  }
  return sent;
}

/** The left side opens connections, the right one waits for them. */
function caller(): Side {
  const side = { agent: createIceAgent(leftOptions()), events: [] };
  side.agent.handle({ type: 'local-candidate', candidate: tcpHost(LEFT_AT, 'active') }, 0);
  return side;
}

function listener(): Side {
  const side = { agent: createIceAgent(rightOptions()), events: [] };
  side.agent.handle({ type: 'local-candidate', candidate: tcpHost(RIGHT_AT, 'passive') }, 0);
  return side;
}

function toListener(side: Side, { bytes }: Transmission, now: number): void {
  side.agent.handle({ ...PASSIVE, type: 'message', message: decodeMessage(bytes), from: CALLER, base: RIGHT_AT }, now);
}

function toCaller(side: Side, { bytes }: Transmission, now: number): void {
  side.agent.handle({ ...ACTIVE, type: 'message', message: decodeMessage(bytes), from: RIGHT_AT, base: LEFT_AT }, now);
}

function told(side: Side, one: Candidate, now = 0): void {
  side.agent.handle({ type: 'remote-candidate', candidate: signalled(one) }, now);
}

/** One connection between both, 20 ms each way, until nobody says anything more. */
function meet(): { left: Side; right: Side } {
  const left = caller();
  const right = listener();
  told(left, tcpHost(RIGHT_AT, 'passive'));
  let onTheWay = outputs(left, 0);
  for (let now = 20; onTheWay.length > 0; now += 40) {
    for (const one of onTheWay) toListener(right, one, now);
    for (const one of outputs(right, now)) toCaller(left, one, now + 20);
    onTheWay = outputs(left, now + 20);
  }
  return { left, right };
}

describe('TCP candidates (RFC 6544)', () => {
  it('pair active with passive, simultaneous open with its like, and no transport with another', () => {
    const side = caller();
    side.agent.handle({ type: 'local-candidate', candidate: candidate('host', endpoint('198.51.100.2', 5000)) }, 0);
    told(side, tcpHost(RIGHT_AT, 'passive'));
    told(side, tcpHost(endpoint('203.0.113.2', 6002), 'so'));
    told(side, tcpHost(endpoint('203.0.113.2', DISCARD_PORT), 'active'));
    told(side, candidate('host', RIGHT_AT));
    expect(side.agent.snapshot().pairs.map(({ id }) => id)).toEqual(['udp4:5000>203.0.113.2:6001', ID]);
    expect(side.agent.snapshot().remote).toHaveLength(4);
  });

  it('a passive one waits to be called', () => {
    const side = listener();
    told(side, tcpHost(LEFT_AT, 'active'));
    expect(outputs(side, 0)).toEqual([]);
    expect(side.agent.snapshot().pairs).toEqual([]);
  });

  it('are one socket a family where they open connections: one pair a remote address', () => {
    const side = caller();
    const other = tcpHost(endpoint('10.8.0.2', DISCARD_PORT), 'active');
    side.agent.handle({ type: 'local-candidate', candidate: other }, 0);
    told(side, tcpHost(RIGHT_AT, 'passive'));
    expect(side.agent.snapshot().pairs.map(({ id }) => id)).toEqual([ID]);
  });

  it('are not connected to at ports below 1024, where others have their services', () => {
    const side = caller();
    for (const port of [1, 22, 1023]) told(side, tcpHost(endpoint(RIGHT_AT.address, port), 'passive'));
    told(side, tcpHost(endpoint(RIGHT_AT.address, DISCARD_PORT), 'active'));
    expect(outputs(side, 0)).toEqual([]);
    expect(side.agent.snapshot()).toMatchObject({ pairs: [], dropped: { 'forbidden-address': 3 } });
    told(side, tcpHost(endpoint(RIGHT_AT.address, 1024), 'passive'));
    expect(outputs(side, 0)).toMatchObject([{ transport: 'tcp', to: { port: 1024 } }]);
  });

  it('come after UDP in the order of checks', () => {
    const side = caller();
    side.agent.handle({ type: 'local-candidate', candidate: candidate('host', endpoint('198.51.100.2', 5000)) }, 0);
    told(side, tcpHost(RIGHT_AT, 'passive'));
    told(side, candidate('srflx', endpoint('203.0.113.1', 40_001), undefined, 1));
    expect(outputs(side, 0).map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
  });
});

describe('checks over TCP', () => {
  it('make the pair valid on both sides, over one connection', () => {
    const { left, right } = meet();
    expect(left.events).toMatchObject([
      { type: 'pair.valid', pairId: ID, local: { type: 'host', endpoint: CALLER }, remote: { endpoint: RIGHT_AT } },
    ]);
    expect(right.events).toMatchObject([
      { type: 'candidate.peer-reflexive', side: 'remote', candidate: { ...ACTIVE, type: 'prflx', endpoint: CALLER } },
      { type: 'pair.valid', pairId: 'tcp4:6001>198.51.100.2:49152', local: { endpoint: RIGHT_AT, ...PASSIVE } },
    ]);
  });

  it('learn the address in front of a NAT as peer-reflexive', () => {
    const side = caller();
    side.agent.handle(
      { type: 'local-candidate', candidate: tcpHost(endpoint('192.168.1.2', DISCARD_PORT), 'active') },
      0,
    );
    const other = listener();
    told(side, tcpHost(RIGHT_AT, 'passive'));
    const [check] = outputs(side, 0);
    const outside = endpoint('198.51.100.1', 40_007);
    const message = decodeMessage(check!.bytes);
    other.agent.handle({ ...PASSIVE, type: 'message', message, from: outside, base: RIGHT_AT }, 20);
    const [answer] = outputs(other, 20);
    toCaller(side, answer!, 40);
    outputs(side, 40);
    expect(side.events).toMatchObject([
      { type: 'candidate.peer-reflexive', candidate: { ...ACTIVE, type: 'prflx', endpoint: outside } },
      { type: 'pair.valid', local: { type: 'prflx' } },
    ]);
  });

  it('are sent once, and given up after 39.5 s (RFC 8489 section 6.2.2)', () => {
    const side = caller();
    told(side, tcpHost(RIGHT_AT, 'passive'));
    expect(outputs(side, 0)).toMatchObject([{ ...ACTIVE, base: LEFT_AT, to: RIGHT_AT, request: true }]);
    expect([100, 1000, 10_000, 39_499].flatMap((now) => outputs(side, now))).toEqual([]);
    expect(side.agent.snapshot().pairs).toMatchObject([{ state: 'in-progress', requestsSent: 1 }]);
    expect(outputs(side, 39_500)).toEqual([]);
    expect(side.agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'timeout' }]);
  });

  it('are answered on the connection they came in on, and say whether the password was right', () => {
    const side = listener();
    const asked = (pwd: string): Transmission[] => {
      const message = decodeMessage(checkFromRight({ username: 'right:left', pwd }));
      side.agent.handle({ ...PASSIVE, type: 'message', message, from: CALLER, base: RIGHT_AT }, 0);
      return outputs(side, 0);
    };
    expect(asked('a password that is wrong')).toMatchObject([{ request: false, verified: false, to: CALLER }]);
    expect(side.agent.snapshot().pairs).toEqual([]);
    expect(asked(rightOptions().local.pwd)).toMatchObject([
      { ...PASSIVE, request: false, verified: true, to: CALLER },
      { ...PASSIVE, request: true, to: CALLER, base: RIGHT_AT },
    ]);
  });

  it('of UDP and TCP at one address belong to two candidates', () => {
    const side = listener();
    side.agent.handle({ type: 'local-candidate', candidate: candidate('host', RIGHT_AT) }, 0);
    for (const transport of [PASSIVE, UDP]) {
      const message = decodeMessage(checkFromRight({ username: 'right:left', pwd: rightOptions().local.pwd }));
      side.agent.handle({ ...transport, type: 'message', message, from: CALLER, base: RIGHT_AT }, 0);
    }
    outputs(side, 0);
    expect(side.agent.snapshot().pairs.map(({ id }) => id)).toEqual([
      'udp4:6001>198.51.100.2:49152',
      'tcp4:6001>198.51.100.2:49152',
    ]);
  });
});

describe('a TCP connection that ends', () => {
  it('fails the check under way at once, and it is not tried again', () => {
    const side = caller();
    told(side, tcpHost(RIGHT_AT, 'passive'));
    outputs(side, 0);
    side.agent.handle({ ...ACTIVE, type: 'disconnected', base: LEFT_AT, to: RIGHT_AT }, 30);
    expect([30, 1000, 60_000].flatMap((now) => outputs(side, now))).toEqual([]);
    expect(side.agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'disconnected' }]);
    expect(side.events).toMatchObject([{ type: 'checks.exhausted' }]);
  });

  it('takes a valid pair with it', () => {
    const { left, right } = meet();
    left.agent.handle({ ...ACTIVE, type: 'disconnected', base: LEFT_AT, to: RIGHT_AT }, 1000);
    right.agent.handle({ ...PASSIVE, type: 'disconnected', base: RIGHT_AT, to: CALLER }, 1000);
    for (const side of [left, right]) {
      expect(outputs(side, 1000)).toEqual([]);
      expect(side.events.at(-1)).toMatchObject({ type: 'pair.lost', reason: 'disconnected' });
    }
  });

  it('leaves no check behind that was to go out on it', () => {
    const side = listener();
    const message = decodeMessage(checkFromRight({ username: 'right:left', pwd: rightOptions().local.pwd }));
    side.agent.handle({ ...PASSIVE, type: 'message', message, from: CALLER, base: RIGHT_AT }, 0);
    side.agent.handle({ ...PASSIVE, type: 'disconnected', base: RIGHT_AT, to: CALLER }, 0);
    expect(outputs(side, 0).filter(({ request }) => request)).toEqual([]);
    expect(side.agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'disconnected' }]);
  });

  it('means nothing where there is no such pair, or the pair is not checked yet', () => {
    const side = caller();
    told(side, tcpHost(RIGHT_AT, 'passive'));
    side.agent.handle({ ...ACTIVE, type: 'disconnected', base: LEFT_AT, to: CALLER }, 0);
    side.agent.handle({ ...ACTIVE, type: 'disconnected', base: LEFT_AT, to: RIGHT_AT }, 0);
    expect(outputs(side, 0)).toHaveLength(1);
  });
});
