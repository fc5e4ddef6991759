import type { CheckOptions } from '../../core/strategy.ts';
import { checkOptionsOf } from '../check-options.ts';
import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';

/**
 * ICE's connectivity checks on the peer's own sockets (RFC 8445). They fail when every pair has; the agent has its own bounds on packets,
 * and goes on answering afterwards. `options`: the candidates that take part. Errors: `ERR_USAGE`.
 */
export function checks(options?: CheckOptions): StrategyStep<'direct'> {
  const wanted = checkOptionsOf('checks', options);
  return defineStrategy({
    name: 'checks',
    gives: 'direct',
    bounds: { time: LONGEST, packets: 0, sockets: 0 },
    async run({ env }) {
      return { ok: true, path: await env.checks(wanted) };
    },
  });
}

/**
 * ms. The agent ends its checks by itself, 10 s after the last candidate that made a pair; only where people carry what the two sides say
 * to each other it goes on for as long as they may take.
 */
const LONGEST = 600_000;
