import type { MappingVia } from '../../core/port-mapper.ts';
import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';

/**
 * A port mapping by the environment's port mapper of that name, be it one of your own; the strategy is called like it. `time`: ms that it may
 * take, from 1. Errors: `ERR_USAGE` for what is no name.
 */
export function mapper(via: MappingVia, time = 10_000): StrategyStep<'mapping'> {
  return defineStrategy({
    name: via,
    gives: 'mapping',
    // What a mapper sends is bounded by the mapper, which has sockets of its own.
    bounds: { time, packets: 0, sockets: 0 },
    async run({ env }) {
      const found = env.mapper(via);
      if (found !== undefined) return { ok: true, mapping: await found.map() };
      return { ok: false, code: 'ERR_MAPPING_UNAVAILABLE', reason: 'the environment has no port mapper of that name' };
    },
  });
}
