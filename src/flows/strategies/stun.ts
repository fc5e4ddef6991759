import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';

/**
 * What STUN servers see of the peer's sockets: server-reflexive candidates (RFC 8445 section 5.1.1.2), and what the NAT does (RFC 5780).
 * Fails when none answers. It sends on the peer's own sockets, some five packets a server at most.
 */
export function stun(): StrategyStep<'candidates'> {
  return defineStrategy({
    name: 'stun',
    gives: 'candidates',
    bounds: { time: 10_000, packets: 0, sockets: 0 },
    async run({ env }) {
      await env.reflexive();
      return { ok: true };
    },
  });
}
