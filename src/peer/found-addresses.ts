import { Deferred } from '../core/deferred.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';

/** Addresses of the other side that strategies have found in one generation of checks, and whoever waits for a path there. */
export class FoundAddresses {
  readonly #found = new Map<string, { readonly strategy: string; readonly path: Deferred<string> }>();

  /** The id of the path to it, once there is one. The first strategy that finds an address gives the path its name. */
  add(remote: Endpoint, strategy: string): Promise<string> {
    const key = formatEndpoint(remote);
    const known = this.#found.get(key) ?? { strategy, path: new Deferred<string>() };
    this.#found.set(key, known);
    return known.path.promise;
  }

  strategyOf(remote: Endpoint): string | undefined {
    return this.#found.get(formatEndpoint(remote))?.strategy;
  }

  /** There is a path; false when no strategy waits for it. */
  reach(remote: Endpoint, pathId: string): boolean {
    const found = this.#found.get(formatEndpoint(remote));
    found?.path.resolve(pathId);
    return found !== undefined;
  }

  /** The generation is over. Errors for those that wait: `ERR_ABORTED`. */
  clear(): void {
    for (const { path } of this.#found.values()) {
      path.reject(new TraversalError('ERR_ABORTED', 'another generation of checks has begun'));
    }
    this.#found.clear();
  }
}
