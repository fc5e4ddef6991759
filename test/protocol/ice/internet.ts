import type { Candidate, CandidateType, RemoteCandidate } from '../../../src/core/candidate.ts';
import { candidatePriority, UDP } from '../../../src/core/candidate.ts';
import { type Endpoint, endpoint, formatEndpoint, sameEndpoint } from '../../../src/core/endpoint.ts';
import type { Random } from '../../../src/core/random.ts';
import type { IceAgent, IceEvent, IceInput } from '../../../src/protocol/ice/index.ts';
import { decodeMessage } from '../../../src/protocol/stun/index.ts';
import { seededRandom } from '../../seeded-random.ts';

/** A NAT with one public address; `dependence` 0 endpoint-independent, 1 address-dependent, 2 address-and-port-dependent. */
export interface Nat {
  readonly address: string;
  readonly mapping: 0 | 2;
  readonly filtering: 0 | 1 | 2;
}

export interface Host {
  readonly name: string;
  readonly agent: IceAgent;
  /** Private when there is a NAT. */
  readonly at: Endpoint;
  readonly nat?: Nat;
  readonly events: { readonly t: number; readonly event: IceEvent }[];
}

export interface Sent {
  readonly t: number;
  readonly by: string;
  readonly to: string;
  readonly request: boolean;
}

/** The smallest internet on which two agents can meet: NATs, one delay, loss, and virtual time. */
export class Internet {
  now = 0;
  /** False: every packet is lost. */
  up = true;
  readonly sent: Sent[] = [];
  readonly #hosts: Host[] = [];
  /** By NAT address and port: whose mapping, towards whom if that matters, and whom it has sent to. */
  readonly #mappings = new Map<string, { host: Host; towards: string; permitted: Endpoint[] }>();
  /** In order of time, then of being put in. */
  readonly #queue: { at: number; run: () => void }[] = [];
  readonly #wakes = new Map<Host, number>();
  readonly #options: { readonly delay: number; readonly loss: number; readonly random: Random };
  #nextPort = 40_001;

  constructor(options: { delay: number; loss?: number; random?: Random }) {
    this.#options = { loss: 0, random: seededRandom(7), ...options };
  }

  join(host: Omit<Host, 'events'>): Host {
    const joined: Host = { ...host, events: [] };
    this.#hosts.push(joined);
    return joined;
  }

  /** Maps the host's socket as an exchange with a STUN server would, and says where it is seen. */
  reflexive(host: Host, server: Endpoint = endpoint('192.0.2.53', 3478)): Endpoint {
    return this.#translate(host, server);
  }

  /** A NAT that restarted: packets of old mappings go nowhere. */
  forgetMappings(): void {
    this.#mappings.clear();
  }

  feed(host: Host, input: IceInput): void {
    host.agent.handle(input, this.now);
    this.#drain(host);
  }

  at(time: number, run: () => void): void {
    const later = this.#queue.findIndex((step) => step.at > time);
    this.#queue.splice(later < 0 ? this.#queue.length : later, 0, { at: time, run });
  }

  run(until: number): void {
    for (;;) {
      if (this.#queue.length === 0 || this.#queue[0]!.at > until) break;
      const step = this.#queue.shift()!;
      this.now = Math.max(this.now, step.at);
      step.run();
    }
    this.now = until;
  }

  /** Delivers bytes to a host as if they had come from anywhere. */
  inject(host: Host, bytes: Uint8Array, from: Endpoint): void {
    this.feed(host, { ...UDP, type: 'message', message: decodeMessage(bytes), from, base: host.at });
  }

  #drain(host: Host): void {
    for (;;) {
      const output = host.agent.poll(this.now);
      if (output.type === 'wait') {
        this.#sleep(host, output.until);
        return;
      }
      if (output.type === 'event') host.events.push({ t: this.now, event: output.event });
      if (output.type === 'transmit') {
        this.sent.push({ t: this.now, by: host.name, to: formatEndpoint(output.to), request: output.request });
        this.#transmit(host, output.bytes, output.to);
      }
    }
  }

  #sleep(host: Host, until: number | undefined): void {
    const pending = this.#wakes.get(host);
    if (until === undefined || (pending !== undefined && pending > this.now && pending <= until)) return;
    const time = Math.max(until, this.now);
    this.#wakes.set(host, time);
    this.at(time, () => {
      if (this.#wakes.get(host) === time) this.#wakes.delete(host);
      this.#drain(host);
    });
  }

  #transmit(host: Host, bytes: Uint8Array, to: Endpoint): void {
    const from = this.#translate(host, to);
    if (!this.up || this.#options.random.bytes(1)[0]! < this.#options.loss * 256) return;
    this.at(this.now + this.#options.delay, () => {
      const receiver = this.#receiver(from, to);
      if (receiver !== undefined && this.up) this.inject(receiver, bytes, from);
    });
  }

  #translate(host: Host, to: Endpoint): Endpoint {
    if (host.nat === undefined) return host.at;
    const towards = host.nat.mapping === 0 ? 'anybody' : formatEndpoint(to);
    for (const [key, mapping] of this.#mappings) {
      if (mapping.host !== host || mapping.towards !== towards) continue;
      mapping.permitted.push(to);
      return endpoint(host.nat.address, Number(key.split(':')[1]));
    }
    const mapped = endpoint(host.nat.address, this.#nextPort);
    this.#nextPort += 7;
    this.#mappings.set(formatEndpoint(mapped), { host, towards, permitted: [to] });
    return mapped;
  }

  #receiver(from: Endpoint, to: Endpoint): Host | undefined {
    const open = this.#hosts.find((host) => host.nat === undefined && sameEndpoint(host.at, to));
    if (open !== undefined) return open;
    const mapping = this.#mappings.get(formatEndpoint(to));
    if (mapping === undefined) return undefined;
    const { filtering } = mapping.host.nat!;
    const passes = mapping.permitted.some(
      (peer) => filtering === 0 || (peer.address === from.address && (filtering === 1 || peer.port === from.port)),
    );
    return passes ? mapping.host : undefined;
  }
}

export function candidate(type: CandidateType, at: Endpoint, base = at, preference = 65_535): Candidate {
  const foundation = `${type}${base.address}`;
  return { ...UDP, type, endpoint: at, base, priority: candidatePriority(type, preference), foundation };
}

export function signalled({ base: _, ...rest }: Candidate): RemoteCandidate {
  return rest;
}
