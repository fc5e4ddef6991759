import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { classifyAddress } from '../../core/ip-address.ts';

/**
 * The servers that were asked for one allocation, each told of by the one before it (RFC 8489 section 10): at an address of the same
 * kind, so that nobody on the internet leads us into our own network, and none of them twice.
 */
export class Redirections {
  #server: Endpoint;
  readonly #asked: Set<string>;

  constructor(server: Endpoint) {
    this.#server = server;
    this.#asked = new Set([formatEndpoint(server)]);
  }

  /** The one to be asked now. */
  get server(): Endpoint {
    return this.#server;
  }

  /** Goes to another server; false when that is not to be followed, or is one too many. */
  follow(alternate: Endpoint): boolean {
    const mayFollow =
      alternate.family === this.#server.family &&
      alternate.port !== 0 &&
      classifyAddress(alternate.address) === classifyAddress(this.#server.address) &&
      !this.#asked.has(formatEndpoint(alternate)) &&
      this.#asked.size <= MAX_REDIRECTIONS;
    if (mayFollow) {
      this.#server = alternate;
      this.#asked.add(formatEndpoint(alternate));
    }
    return mayFollow;
  }
}

const MAX_REDIRECTIONS = 3;
