import type { Candidate } from '../core/candidate.ts';
import { Deferred } from '../core/deferred.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Relay, RelayedSocket } from '../core/relay.ts';
import type { DirectPath } from '../streams/direct-path.ts';
import { createPacketRouter, type PacketRouter } from '../streams/packet-router.ts';
import { relayCandidate } from './local-candidates.ts';
import type { RelayedChecks } from './relayed-checks.ts';

/** An address of ours at a relay, with its socket and its checks. */
export class OwnRelay {
  readonly candidate: Candidate;
  readonly transport: Relay['transport'];
  readonly router: PacketRouter;
  readonly checks: RelayedChecks;
  /** The id of the first path from here. */
  readonly found = new Deferred<string>();
  /** By the remote address. */
  readonly #paths = new Map<string, DirectPath>();

  /** The socket is the relay's from now on. */
  constructor(socket: RelayedSocket, checks: RelayedChecks) {
    this.candidate = relayCandidate(socket.local, socket.relay.name);
    this.transport = socket.relay.transport;
    this.router = createPacketRouter(socket);
    this.checks = checks;
    checks.listen(this.router);
    checks.addLocal(this.candidate);
  }

  get hasPath(): boolean {
    return this.#paths.size > 0;
  }

  /** A path whose packets go and come by this socket. */
  add(path: DirectPath): void {
    this.#paths.set(formatEndpoint(path.remote), path);
    this.found.resolve(path.info.id);
  }

  remove(pathId: string): void {
    for (const [remote, { info }] of this.#paths) if (info.id === pathId) this.#paths.delete(remote);
  }

  /** The path that a packet came by. */
  pathFrom(remote: Endpoint): DirectPath | undefined {
    return this.#paths.get(formatEndpoint(remote));
  }

  /** Its paths are lost, and the address is given back. */
  close(reason: string): void {
    this.checks.stop(reason);
    this.router.close();
  }
}
