import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';

/** The addresses of this host's interfaces: host candidates (RFC 8445 section 5.1.1.1, RFC 6544 section 5.1). */
export function interfaces(): StrategyStep<'candidates'> {
  return defineStrategy({
    name: 'interfaces',
    gives: 'candidates',
    bounds: { time: 1_000, packets: 0, sockets: 0 },
    async run({ env }) {
      env.interfaces();
      return { ok: true };
    },
  });
}
