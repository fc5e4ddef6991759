import type { MappingRequest } from '../core/port-mapper.ts';
import type { MappingEnvironment } from '../core/strategy.ts';
import { RunEnvironment, type RunScope, type RunWorld } from '../flows/index.ts';

export interface LeaseSide {
  readonly request: MappingRequest;
  /** STUN servers that are known by now, `host:port`. */
  readonly stun: readonly string[];
  readonly mapper: MappingEnvironment['mapper'];
}

/** What one run of a strategy has of the world, to have the port of a lease mapped. */
export class LeaseEnvironment extends RunEnvironment implements MappingEnvironment {
  readonly request: MappingRequest;
  readonly mapper: MappingEnvironment['mapper'];

  constructor(world: RunWorld, scope: RunScope, { request, stun, mapper }: LeaseSide) {
    super(world, scope, stun);
    this.request = request;
    this.mapper = mapper;
  }
}
