import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anotherPort, completeRequest, leaseTimes, requireOwn } from '../../../src/adapters/port-mapper/conduct.ts';
import type { Mapping } from '../../../src/core/port-mapper.ts';
import { manualClock } from '../../manual-clock.ts';
import { seededRandom } from '../../seeded-random.ts';

describe('the times of a lease', () => {
  it('are its end, and a moment between 1/2 and 5/8 of it', () => {
    const clock = manualClock();
    clock.advance(1000);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), fc.integer(), (lifetime, seed) => {
        const times = leaseTimes(lifetime, { clock, random: seededRandom(seed) });
        expect(times).toMatchObject({ lifetime, goodUntil: 1000 + lifetime * 1000 });
        expect(times.renewAfter).toBeGreaterThanOrEqual(1000 + lifetime * 500);
        expect(times.renewAfter).toBeLessThanOrEqual(1000 + lifetime * 625);
      }),
    );
  });

  it('never come for a lease without end', () => {
    const times = leaseTimes(0, { clock: manualClock(), random: seededRandom(1) });
    expect(times).toEqual({ lifetime: 0, goodUntil: Infinity, renewAfter: Infinity });
  });
});

describe('another port', () => {
  it('is of the dynamic range, and not always the same', () => {
    const random = seededRandom(3);
    const ports = Array.from({ length: 1000 }, () => anotherPort(random));
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(49_152);
    expect(Math.max(...ports)).toBeLessThanOrEqual(65_535);
    expect(new Set(ports).size).toBeGreaterThan(900);
  });
});

describe('a request', () => {
  it('is completed with defaults', () => {
    expect(completeRequest({ protocol: 'tcp', internalPort: 80 })).toEqual({
      protocol: 'tcp',
      internalPort: 80,
      externalPort: 80,
      lifetime: 3600,
      description: 'sallyport',
      onConflict: 'another-port',
    });
  });

  it('keeps what it says', () => {
    const request = {
      protocol: 'udp',
      internalPort: 1,
      externalPort: 2,
      lifetime: 3,
      description: 'four',
      internalAddress: '192.0.2.5',
      onConflict: 'fail',
    } as const;
    expect(completeRequest(request)).toEqual(request);
  });
});

describe('a mapping', () => {
  it('belongs to the adapter that made it', () => {
    const mapping = { via: 'pcp' } as Mapping;
    expect(() => requireOwn(mapping, 'pcp')).not.toThrow();
    expect(() => requireOwn(mapping, 'nat-pmp')).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
