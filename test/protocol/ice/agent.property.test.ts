import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CandidateTransport, transportOf, UDP } from '../../../src/core/candidate.ts';
import { type Endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { toHex } from '../../../src/core/hex.ts';
import { BUDGET_PERIOD, CHECK_BUDGET } from '../../../src/protocol/ice/check-budget.ts';
import { MAX_UNPROVEN } from '../../../src/protocol/ice/check-sender.ts';
import { createCheckBudget, createIceAgent, type IceInput, type IceOutput } from '../../../src/protocol/ice/index.ts';
import { decodeMessage, type EncodableAttribute } from '../../../src/protocol/stun/index.ts';
import { checkFromRight, PRIORITY, responseFromRight } from './messages.ts';
import { leftOptions } from './pair-of-agents.ts';

const FORBIDDEN = ['127.0.0.1', '::1', '224.0.0.1', 'ff02::1', '255.255.255.255', '0.0.0.0', '::', 'fe80::1'];
const ALLOWED = ['10.0.0.1', '203.0.113.1', '203.0.113.2', '2001:db8::1', 'fe80::1%eth0', '::ffff:198.51.100.9'];
const NONSENSE = ['localhost', '', '1.2.3', '10.0.0.1:80'];

const familyOf = (address: string) => (address.includes(':') ? 6 : 4) as 4 | 6;
const port = fc.constantFrom(0, 1, 7000, 7001, 7002, 65_535);
const somewhere: fc.Arbitrary<Endpoint> = fc
  .tuple(fc.constantFrom(...ALLOWED, ...FORBIDDEN, ...NONSENSE), fc.oneof(port, fc.constantFrom(-1, 1.5, 65_536)))
  .map(([address, p]) => ({ address, port: p, family: familyOf(address) }));
const source: fc.Arbitrary<Endpoint> = fc
  .tuple(fc.constantFrom(...ALLOWED.slice(0, 4), ...FORBIDDEN), port)
  .map(([address, p]) => ({ address, port: p, family: familyOf(address) }));
const base: fc.Arbitrary<Endpoint> = fc.constantFrom(
  { address: '192.168.1.2', port: 5000, family: 4 },
  { address: '10.8.0.2', port: 5000, family: 4 },
  { address: '192.168.1.2', port: 5001, family: 4 },
  { address: '2001:db8::2', port: 5000, family: 6 },
);
const type = fc.constantFrom('host', 'srflx', 'prflx', 'mapped', 'relay');
const priority = fc.oneof(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.constantFrom(0, -1, 0.5, Number.NaN, 2 ** 40));
const foundation = fc.constantFrom('a', 'b', 'c');
const side = fc.constantFrom('local', 'remote');
const transport: fc.Arbitrary<CandidateTransport> = fc.constantFrom<CandidateTransport>(
  UDP,
  UDP,
  { transport: 'tcp', tcpType: 'active' },
  { transport: 'tcp', tcpType: 'passive' },
  { transport: 'tcp', tcpType: 'so' },
);

function withTransport<T extends object>(rest: fc.Arbitrary<T>): fc.Arbitrary<CandidateTransport & T> {
  return fc.tuple(transport, rest).map(([one, other]) => ({ ...one, ...other }));
}

const attributes: fc.Arbitrary<EncodableAttribute[]> = fc.subarray<EncodableAttribute>([
  PRIORITY,
  { type: 'use-candidate' },
  { type: 'ice-controlling', tieBreaker: 2n },
  { type: 'ice-controlled', tieBreaker: 3n },
]);
const answers: fc.Arbitrary<EncodableAttribute> = fc.oneof(
  somewhere
    .filter(({ address, port: p }) => p > 0 && p < 65_536 && Number.isInteger(p) && !NONSENSE.includes(address))
    .map((endpoint): EncodableAttribute => ({ type: 'xor-mapped-address', endpoint })),
  fc.constantFrom(400, 403, 487, 500).map((code): EncodableAttribute => ({ type: 'error-code', code, reason: '' })),
);

/** What may happen to an agent; `answer` and `name` choose among what it has sent and paired so far. */
type Happening =
  | { kind: 'input'; input: IceInput }
  | {
      kind: 'request';
      via: CandidateTransport;
      from: Endpoint;
      base: Endpoint;
      pwd: string | undefined;
      attributes: EncodableAttribute[];
    }
  | { kind: 'answer'; nth: number; attribute: EncodableAttribute; from: Endpoint | undefined; pwd: string | undefined }
  | { kind: 'disconnect'; nth: number }
  | { kind: 'name'; nth: number; type: 'use' | 'check' | 'nominate' }
  | { kind: 'time'; ms: number };

const wrongOr = (wrong: string) => fc.option(fc.constant(wrong), { nil: undefined });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc
    .oneof(
      fc.record({
        type: fc.constant('local-candidate' as const),
        candidate: withTransport(fc.record({ type, endpoint: somewhere, base, priority, foundation })),
      }),
      fc.record({
        type: fc.constant('remote-candidate' as const),
        candidate: withTransport(fc.record({ type, endpoint: somewhere, priority, foundation })),
      }),
      fc.record({ type: fc.constant('end-of-candidates' as const), side }),
    )
    .map((input): Happening => ({ kind: 'input', input })),
  fc.record({
    kind: fc.constant('request' as const),
    via: transport,
    from: source,
    base,
    pwd: wrongOr('wrong'),
    attributes,
  }),
  fc.record({
    kind: fc.constant('answer' as const),
    nth: fc.nat(9),
    attribute: answers,
    from: fc.option(source, { nil: undefined }),
    pwd: wrongOr('wrong'),
  }),
  fc.record({ kind: fc.constant('disconnect' as const), nth: fc.nat(9) }),
  fc.record({ kind: fc.constant('name' as const), nth: fc.nat(5), type: fc.constantFrom('use', 'check', 'nominate') }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.oneof(fc.nat(60), fc.nat(6000), fc.nat(60_000)) }),
);

it('whatever happens: no throw, no packet to a forbidden address, no busy loop, no more requests than the bounds', () => {
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 120, size: 'max' }),
      fc.boolean(),
      fc.boolean(),
      (happenings, controls, regular) => {
        const more = { nomination: regular ? 'regular' : 'deferred' } as const;
        const role = controls ? 'controlling' : 'controlled';
        const agent = createIceAgent({ ...leftOptions(more), role, budget: createCheckBudget().share('right') });
        const requests: (Extract<IceOutput, { type: 'transmit' }> & { readonly at: number })[] = [];
        const answered = new Set<string>();
        /** Who sent requests over TCP. */
        const callers: string[] = [];
        let now = 0;

        /** Polls as a pump would, up to a time. */
        const pump = (until: number): void => {
          for (;;) {
            const output = agent.poll(now);
            if (output.type === 'transmit') {
              expect(FORBIDDEN).not.toContain(output.to.address);
              expect(output.to.port).toBeGreaterThan(0);
              if (output.request) requests.push({ ...output, at: now });
            } else if (output.type === 'wait') {
              if (output.until !== undefined) expect(output.until).toBeGreaterThan(now);
              if (output.until === undefined || output.until > until) break;
              now = output.until;
            }
          }
          now = until;
        };
        const happen = (event: Happening): void => {
          if (event.kind === 'input') agent.handle(event.input, now);
          if (event.kind === 'request') {
            if (event.via.tcpType === 'passive') callers.push(formatEndpoint(event.from));
            const bytes = checkFromRight({ attributes: event.attributes, ...(event.pwd && { pwd: event.pwd }) });
            const message = decodeMessage(bytes);
            agent.handle({ ...event.via, type: 'message', message, from: event.from, base: event.base }, now);
          }
          const request = event.kind === 'answer' ? requests.at(-1 - event.nth) : undefined;
          if (event.kind === 'answer' && request !== undefined) {
            const options = {
              kind: event.attribute.type === 'error-code' ? 'error' : 'success',
              ...(event.pwd && { pwd: event.pwd }),
            } as const;
            const message = decodeMessage(responseFromRight(request, [event.attribute], options));
            answered.add(formatEndpoint(request.to));
            const { base: on, to } = request;
            const input = { type: 'message', message, from: event.from ?? to, base: on } as const;
            agent.handle({ ...transportOf(request), ...input }, now);
          }
          if (event.kind === 'disconnect') {
            const over = requests.filter((one) => one.transport === 'tcp').at(-1 - event.nth);
            if (over !== undefined)
              agent.handle({ ...transportOf(over), type: 'disconnected', base: over.base, to: over.to }, now);
          }
          if (event.kind === 'name') {
            const pairId = agent.snapshot().pairs[event.nth]?.id ?? 'no such pair';
            agent.handle(event.type === 'use' ? { type: 'use', pairIds: [pairId] } : { type: event.type, pairId }, now);
          }
          pump(event.kind === 'time' ? now + event.ms : now);
        };

        for (const event of happenings) happen(event);
        pump(now + 100_000);
        const unproven = requests
          .map((one) => `${one.transport} ${one.tcpType} ${one.base.port}>${formatEndpoint(one.to)}`)
          .filter((key) => !answered.has(key.split('>')[1]!));
        for (const key of new Set(unproven)) {
          expect(unproven.filter((other) => other === key).length).toBeLessThanOrEqual(MAX_UNPROVEN.address);
        }
        expect(unproven.length).toBeLessThanOrEqual(MAX_UNPROVEN.total);
        for (const { at: begin } of requests) {
          const within = requests.filter(
            ({ at, to }) => at >= begin && at < begin + BUDGET_PERIOD && !answered.has(formatEndpoint(to)),
          );
          const counts = new Map<string, number>();
          for (const { to } of within) counts.set(formatEndpoint(to), (counts.get(formatEndpoint(to)) ?? 0) + 1);
          expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(CHECK_BUDGET.endpoint);
        }
        const overTcp = requests
          .filter((one) => one.transport === 'tcp')
          .map(({ transactionId }) => toHex(transactionId));
        expect(new Set(overTcp).size).toBe(overTcp.length);
        const called = requests.filter((one) => one.tcpType === 'passive').map(({ to }) => formatEndpoint(to));
        expect(callers).toEqual(expect.arrayContaining(called));
      },
    ),
    { numRuns: 200 },
  );
});
