import type { Endpoint } from '../../core/endpoint.ts';
import type { NatDependence } from './nat-spec.ts';
import type { Session } from './session.ts';

/** To whom an internal endpoint has sent, and so who may send to it (RFC 4787 section 5). */
export class Filter {
  /** By remote address, then port. */
  readonly #sessions = new Map<string, Map<number, Session>>();

  get isEmpty(): boolean {
    return this.#sessions.size === 0;
  }

  /** The session with exactly this remote endpoint, alive or not. */
  session(remote: Endpoint): Session | undefined {
    return this.#sessions.get(remote.address)?.get(remote.port);
  }

  add(remote: Endpoint, session: Session): void {
    const ports = this.#sessions.get(remote.address);
    if (ports === undefined) this.#sessions.set(remote.address, new Map([[remote.port, session]]));
    else ports.set(remote.port, session);
  }

  /** Removes the session, unless another has taken its place. */
  remove(remote: Endpoint, session: Session): void {
    const ports = this.#sessions.get(remote.address);
    if (ports?.get(remote.port) !== session) return;
    ports.delete(remote.port);
    if (ports.size === 0) this.#sessions.delete(remote.address);
  }

  /** Whether a packet of `remote` may come in: there is a live session, opened from the inside, that filtering takes for its like. */
  admits(filtering: NatDependence, remote: Endpoint, now: number): boolean {
    const isOpen = (session: Session | undefined): boolean => session?.isOpened === true && session.isAlive(now);
    switch (filtering) {
      case 'endpoint-independent':
        return some(this.#sessions.values(), (ports) => some(ports.values(), isOpen));
      case 'address-dependent':
        return some(this.#sessions.get(remote.address)?.values() ?? [], isOpen);
      case 'address-and-port-dependent':
        return isOpen(this.session(remote));
    }
  }
}

function some<T>(items: Iterable<T>, is: (item: T) => boolean): boolean {
  for (const item of items) if (is(item)) return true;
  return false;
}
