import type { Endpoint } from '../core/endpoint.ts';
import type { CandidateEnvironment } from '../core/strategy.ts';
import { RunEnvironment, type RunScope, type RunWorld } from '../flows/index.ts';
import type { AnnouncedType } from './local-candidates.ts';
import type { Look } from './look.ts';

/** What one run of a strategy has of the world, to find addresses in a look at the network. */
export class LookEnvironment extends RunEnvironment implements CandidateEnvironment {
  readonly #look: Look;

  constructor(world: RunWorld, scope: RunScope, stun: readonly string[], look: Look) {
    super(world, scope, stun);
    this.#look = look;
  }

  interfaces(): void {
    this.#look.interfaces();
  }

  reflexive(): Promise<void> {
    return this.#look.reflexive(this.signal);
  }

  announce(address: Endpoint, type: AnnouncedType): void {
    this.#look.announce(address, type);
  }
}
