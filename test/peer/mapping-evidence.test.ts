import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { type NatBehavior, unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { MappingAttempt, PortLeaseState } from '../../src/core/port-lease.ts';
import type { MappedPort } from '../../src/peer/mapped-ports.ts';
import { mapAttempts, mappingAdvice } from '../../src/peer/mapping-evidence.ts';
import { makeVerdict } from '../../src/peer/verdict.ts';
import { mappingBetween } from './peer-leases.ts';

const attempt = (via: MappingAttempt['via'], times: readonly [number, number], code?: MappingAttempt['code']) => ({
  via,
  reason: code === undefined ? 'mapped' : 'the gateway said no',
  ...(code !== undefined && { code }),
  startedAt: times[0],
  endedAt: times[1],
});
const port = (lease: PortLeaseState): MappedPort => ({ request: { protocol: 'udp', internalPort: 5000 }, lease });
const mappedAt = (address: string): MappedPort => {
  const mapping = mappingBetween({
    protocol: 'udp',
    internal: endpoint('192.168.1.2', 5000),
    external: endpoint(address, 40_000),
  });
  return port({ state: 'mapped', mapping, attempts: [attempt('pcp', [900, 920])] });
};
const without = (...codes: readonly MappingAttempt['code'][]): MappedPort =>
  port({ state: 'unavailable', attempts: codes.map((code, i) => attempt('nat-pmp', [i, 100 + i], code)) });

describe('the attempt of a port', () => {
  const reasonOf = (lease: MappedPort): string | undefined => mapAttempts([lease], 0)[0]?.reason;

  it('says by which protocol it is reached where, and by whom', () => {
    expect(mapAttempts([mappedAt('198.51.100.1')], 1000)).toEqual([
      {
        strategy: 'map',
        ok: true,
        reason: 'udp port 5000: 198.51.100.1:40000 leads here, by pcp',
        startedAt: -100,
        endedAt: -80,
      },
    ]);
    expect(reasonOf(mappedAt('100.64.0.9'))).toMatch(/by pcp, from behind the same carrier NAT only$/);
    expect(reasonOf(mappedAt('10.0.0.9'))).toMatch(/by pcp, from within the private network around the router only$/);
  });

  it('says of each protocol why there is none, from the first start to the last end', () => {
    const [made] = mapAttempts([without('ERR_MAPPING_UNAVAILABLE', 'ERR_MAPPING_REFUSED')], 0);
    expect(made).toEqual({
      strategy: 'map',
      ok: false,
      reason: 'udp port 5000: nat-pmp: the gateway said no; nat-pmp: the gateway said no',
      startedAt: 0,
      endedAt: 101,
    });
  });

  it('says so where nothing was asked, or no answer is there yet', () => {
    expect(reasonOf(port({ state: 'unavailable', attempts: [] }))).toBe('udp port 5000: there was nothing to ask by');
    expect(reasonOf(port({ state: 'mapping' }))).toBe('udp port 5000: no answer yet');
    expect(reasonOf(port({ state: 'released' }))).toBe('udp port 5000: released');
    expect(mapAttempts([port({ state: 'mapping' })], 1000)[0]).toMatchObject({ ok: false, startedAt: 0, endedAt: 0 });
  });
});

describe('advice on mappings', () => {
  it.each([
    ['nobody answered', [without('ERR_MAPPING_UNAVAILABLE', 'ERR_TIMEOUT')], /turn on UPnP, NAT-PMP or PCP/],
    ['the router refuses', [without('ERR_MAPPING_REFUSED', 'ERR_MAPPING_UNAVAILABLE')], /refuses port mappings: allow/],
    ['the router is behind a carrier NAT', [mappedAt('100.64.0.9')], /100\.64\.0\.9: it is behind a carrier NAT/],
    ['the router is behind another', [mappedAt('10.0.0.9')], /10\.0\.0\.9: it is behind another router/],
  ])('says what to do where %s', (_, ports, advice) => {
    expect(mappingAdvice(ports)).toMatch(advice);
  });

  it('is none where all is well, nothing was asked, no answer is there yet, or there is nothing to turn on', () => {
    expect(mappingAdvice([mappedAt('198.51.100.1'), without('ERR_MAPPING_REFUSED')])).toBeUndefined();
    expect(mappingAdvice([])).toBeUndefined();
    expect(mappingAdvice([without('ERR_MAPPING_UNAVAILABLE', 'ERR_MAPPING_EXHAUSTED')])).toBeUndefined();
    expect(mappingAdvice([port({ state: 'mapping' })])).toBeUndefined();
  });

  const verdictOn = (mine: Partial<NatBehavior>, ports: readonly MappedPort[], outcome: 'relayed' | 'direct') =>
    makeVerdict({
      output: { outcome: 'closed', failure: undefined, current: undefined },
      evidence: {
        local: [],
        remote: [],
        behaviors: { mine: { ...unknownBehavior, ...mine }, theirs: unknownBehavior },
        pairs: [],
        ports,
      },
      paths: [
        { id: 'a', kind: outcome, transport: 'udp', local: '10.0.0.1:1', remote: '10.0.0.2:1', strategy: 'checks' },
      ],
      attempts: [],
    }).advice;

  it('is given where a direct path would have made the difference, and a NAT is there to be mapped', () => {
    const ports = [without('ERR_MAPPING_UNAVAILABLE')];
    expect(verdictOn({}, ports, 'relayed')).toEqual([expect.stringMatching(/^no router of this side answered/)]);
    expect(verdictOn({ translated: false }, ports, 'relayed')).toEqual([]);
    expect(verdictOn({}, ports, 'direct')).toEqual([]);
  });
});
