import { describe, expect, it } from 'vitest';
import { faultyNetworks } from './faults/network.suite.ts';
import { faultyPortMappers } from './faults/port-mapper.suite.ts';
import { faultyRelays } from './faults/relay.suite.ts';
import { faultySessions } from './faults/session.suite.ts';
import { faultySignaling } from './faults/signaling.suite.ts';

const SUITES = [faultyNetworks, faultySessions, faultySignaling, faultyRelays, faultyPortMappers];

describe.each(SUITES)('the suite of $contract', ({ cases }) => {
  it.each(cases)('lets pass what is sound: it $noticedBy', ({ holdSound }) => holdSound());

  it.each(cases)('notices what $name', async ({ holdFaulty }) => {
    await expect(holdFaulty()).rejects.toThrow();
  });
});
