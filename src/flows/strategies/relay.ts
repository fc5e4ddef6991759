import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';

/** Relayed paths over the rendezvous servers that both sides meet at. Fails where those relay nothing. */
export function relay(): StrategyStep<'relayed'> {
  return defineStrategy({
    name: 'relay',
    gives: 'relayed',
    bounds: { time: LONGEST, packets: 0, sockets: 0 },
    async run({ env }) {
      return { ok: true, path: await env.relay() };
    },
  });
}

/** ms. It waits for the other side to answer, which may ask somebody first, and costs nothing meanwhile: the connection has its own bound. */
const LONGEST = 600_000;
