import { describe, expect, it } from 'vitest';
import { PCP_ERROR_LIFETIME, PCP_RESULT, type PcpResultName, pcpResultName } from '../../../src/protocol/pcp/index.ts';

/** RFC 6887 section 7.4, in its order; L: long lifetime error, S: short one, R: depends on the reason. */
const REGISTRY: readonly (readonly [number, PcpResultName, 'L' | 'S' | 'R' | undefined])[] = [
  [0, 'SUCCESS', undefined],
  [1, 'UNSUPP_VERSION', 'L'],
  [2, 'NOT_AUTHORIZED', 'L'],
  [3, 'MALFORMED_REQUEST', 'L'],
  [4, 'UNSUPP_OPCODE', 'L'],
  [5, 'UNSUPP_OPTION', 'L'],
  [6, 'MALFORMED_OPTION', 'L'],
  [7, 'NETWORK_FAILURE', 'S'],
  [8, 'NO_RESOURCES', 'S'],
  [9, 'UNSUPP_PROTOCOL', 'L'],
  [10, 'USER_EX_QUOTA', 'S'],
  [11, 'CANNOT_PROVIDE_EXTERNAL', 'R'],
  [12, 'ADDRESS_MISMATCH', 'L'],
  [13, 'EXCESSIVE_REMOTE_PEERS', 'L'],
];

describe('PCP result codes', () => {
  it('are those of the registry', () => {
    expect(Object.entries(PCP_RESULT)).toEqual(REGISTRY.map(([code, name]) => [name, code]));
    expect(REGISTRY.map(([code]) => pcpResultName(code))).toEqual(REGISTRY.map(([, name]) => name));
    expect(pcpResultName(14)).toBeUndefined();
  });

  it('have the lifetimes that the RFC recommends', () => {
    const expected = { L: 1800, S: 30, R: 30 };
    for (const [, name, kind] of REGISTRY) {
      if (name !== 'SUCCESS') expect([name, PCP_ERROR_LIFETIME[name]]).toEqual([name, expected[kind!]]);
    }
  });
});
