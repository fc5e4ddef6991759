import type { Clock } from '../../../src/core/clock.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import type { DatagramSocket, Network } from '../../../src/core/network.ts';
import {
  decodeNatPmpRequest,
  encodeNatPmpResponse,
  NATPMP_RESULT,
  type NatPmpRequest,
} from '../../../src/protocol/natpmp/index.ts';
import {
  decodePcpRequest,
  encodePcpResponse,
  PCP_PROTOCOL,
  PCP_RESULT,
  type PcpMap,
  type PcpRequest,
} from '../../../src/protocol/pcp/index.ts';

export interface UdpGatewayOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly address: string;
  readonly externalAddress: string;
}

/** One mapping of the gateway's table. */
export interface Entry {
  /** IANA number. */
  readonly protocol: number;
  readonly internal: string;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetime: number;
  readonly nonce?: string;
}

/** A gateway that speaks NAT-PMP and PCP on port 5351, as well or as badly as it is told. */
export class UdpGateway {
  readonly table: Entry[] = [];
  /** Requests that came in, as `natpmp udp`, `pcp MAP` .. */
  readonly requests: string[] = [];
  natPmp = true;
  pcp = true;
  silent = false;
  /** Mappings are made, and the answers that say so are lost. */
  losesGrants = false;
  /** Given to every request for a mapping, when not 0. */
  result = 0;
  preferFailure = true;
  /** Of PCP's answers, in seconds. */
  errorLifetime = 30;
  externalAddress: string;
  /** What it sends instead of an answer, one or more or none. */
  alter: (answer: Buffer) => readonly Uint8Array[] = (answer) => [answer];
  readonly #socket: DatagramSocket;
  readonly #clock: Clock;
  #startedAt: number;

  static async open(options: UdpGatewayOptions): Promise<UdpGateway> {
    const { network, address } = options;
    const family = endpoint(address, 0).family;
    return new UdpGateway(await network.udp({ family, address, port: 5351 }), options);
  }

  private constructor(socket: DatagramSocket, { clock, externalAddress }: UdpGatewayOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.externalAddress = externalAddress;
    socket.datagrams$.subscribe(({ data, from }) => {
      if (data[0] === 0) this.#natPmp(decodeNatPmpRequest(data), from);
      else this.#pcp(decodePcpRequest(data), from);
    });
  }

  get epoch(): number {
    return Math.floor((this.#clock.now() - this.#startedAt) / 1000);
  }

  /** Forgets everything. */
  reboot(): void {
    this.table.length = 0;
    this.#startedAt = this.#clock.now();
  }

  announce(words: 'natpmp' | 'pcp'): void {
    const { epoch, externalAddress } = this;
    const bytes =
      words === 'natpmp'
        ? encodeNatPmpResponse({ type: 'external-address', epoch, externalAddress })
        : encodePcpResponse({
            type: 'answer',
            result: 0,
            lifetime: 0,
            epoch,
            payload: { opcode: 'ANNOUNCE' },
            options: [],
          });
    this.#socket.send(bytes, endpoint(this.#socket.local.family === 4 ? '224.0.0.1' : 'ff02::1', 5350));
  }

  close(): void {
    this.#socket.close();
  }

  #answer(bytes: Uint8Array, to: Endpoint): void {
    for (const said of this.alter(Buffer.from(bytes))) this.#socket.send(said, to);
  }

  #natPmp(request: NatPmpRequest, from: Endpoint): void {
    this.requests.push(`natpmp ${request.opcode}`);
    const { epoch, externalAddress, result } = this;
    if (this.silent || !this.natPmp) return;
    if (request.opcode === 'external-address') {
      this.#answer(encodeNatPmpResponse({ type: 'external-address', epoch, externalAddress }), from);
      return;
    }
    const { opcode, internalPort, lifetime } = request;
    if (result !== 0) {
      this.#answer(encodeNatPmpResponse({ type: 'refused', opcode, result, epoch, internalPort }), from);
      return;
    }
    const wanted = { protocol: PCP_PROTOCOL[opcode], internal: from.address, internalPort, lifetime };
    const externalPort = lifetime === 0 ? this.#remove(wanted) : this.#add(wanted, request.externalPort);
    if (this.losesGrants && lifetime > 0) return;
    const mapped = { type: 'mapped' as const, protocol: opcode, epoch, internalPort, externalPort, lifetime };
    this.#answer(encodeNatPmpResponse(mapped), from);
  }

  #pcp({ payload, lifetime, options, clientAddress }: PcpRequest, from: Endpoint): void {
    this.requests.push(`pcp ${payload.opcode}`);
    if (this.silent) return;
    if (!this.pcp) {
      const refusal = { type: 'refused', opcode: 'udp', result: NATPMP_RESULT.unsupportedVersion } as const;
      this.#answer(encodeNatPmpResponse({ ...refusal, epoch: this.epoch }).subarray(0, 8), from);
      return;
    }
    if (payload.opcode !== 'MAP') throw new Error('this gateway knows MAP only');
    const granted = this.#map(payload, lifetime, clientAddress, options.length > 0);
    const answer = { type: 'answer', epoch: this.epoch, options: [] } as const;
    if (typeof granted === 'number') {
      this.#answer(encodePcpResponse({ ...answer, result: granted, lifetime: this.errorLifetime, payload }), from);
    } else if (!this.losesGrants || lifetime === 0) {
      this.#answer(encodePcpResponse({ ...answer, result: PCP_RESULT.SUCCESS, lifetime, payload: granted }), from);
    }
  }

  /** What is granted, or a result code. */
  #map(payload: PcpMap, lifetime: number, internal: string, exact: boolean): PcpMap | number {
    if (this.result !== 0) return this.result;
    if (exact && !this.preferFailure) return PCP_RESULT.UNSUPP_OPTION;
    const { protocol, internalPort, external } = payload;
    const nonce = Buffer.from(payload.nonce).toString('hex');
    const wanted = { protocol, internal, internalPort, lifetime, nonce };
    const present = this.#find(wanted);
    if (present !== undefined && present.nonce !== nonce) return PCP_RESULT.NOT_AUTHORIZED;
    if (exact && this.#isTaken(wanted, external.port)) return PCP_RESULT.CANNOT_PROVIDE_EXTERNAL;
    const port = lifetime === 0 ? this.#remove(wanted) : this.#add(wanted, external.port);
    return { ...payload, external: endpoint(this.externalAddress, port) };
  }

  #find({ protocol, internal, internalPort }: Omit<Entry, 'externalPort'>): Entry | undefined {
    return this.table.find(
      (entry) => entry.protocol === protocol && entry.internal === internal && entry.internalPort === internalPort,
    );
  }

  #isTaken(wanted: Omit<Entry, 'externalPort'>, port: number): boolean {
    const holder = this.table.find((entry) => entry.protocol === wanted.protocol && entry.externalPort === port);
    return holder !== undefined && holder !== this.#find(wanted);
  }

  #remove(wanted: Omit<Entry, 'externalPort'>): number {
    const entry = this.#find(wanted);
    if (entry !== undefined) this.table.splice(this.table.indexOf(entry), 1);
    return 0;
  }

  #add(wanted: Omit<Entry, 'externalPort'>, wish: number): number {
    let externalPort = this.#find(wanted)?.externalPort ?? wish;
    this.#remove(wanted);
    while (this.#isTaken(wanted, externalPort)) externalPort++;
    this.table.push({ ...wanted, externalPort });
    return externalPort;
  }
}
