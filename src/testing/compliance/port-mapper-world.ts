import type { Clock } from '../../core/clock.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import type { Mapping, MappingProtocol, MappingVia, PortMapper } from '../../core/port-mapper.ts';

/** A host, and a gateway that speaks the protocol of its port mappers. */
export interface PortMapperWorld {
  /** What every port mapper of this world is called. */
  readonly via: MappingVia;
  /** By which the time that calls take is measured. */
  readonly clock: Clock;
  /** ms that a call may take when nobody answers. */
  readonly budget: number;
  /** Address of the host, as the gateway knows it. */
  readonly host: string;
  readonly gateway: GatewayUnderTest;
  /** Another port mapper on the host. */
  open(): Promise<PortMapper>;
  /** Waits for a promise, and lets time pass meanwhile where it would stand still. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Closes its port mappers too. */
  close(): Promise<void>;
}

export interface GatewayUnderTest {
  /** Numeric address on the host's side, and on the other side. */
  readonly address: string;
  readonly externalAddress: string;
  /** What it maps, by the gateway's own word. */
  table(): Promise<readonly TableEntry[]>;
  /** Maps the port, from the same one, to another host of its network. */
  occupy(protocol: MappingProtocol, port: number): Promise<void>;
  /** Answers nothing from now on. */
  silence(): Promise<void>;
  /** Fulfils when it has been up for so long that its clients can tell when it starts anew. */
  mature(): Promise<void>;
  /** Starts anew, without any mapping. */
  restart(): Promise<void>;
}

export interface TableEntry {
  readonly protocol: MappingProtocol;
  readonly externalPort: number;
  readonly internal: Endpoint;
}

/** How a mapping stands in the gateway's table. */
export function entryOf({ protocol, internal, external }: Mapping): TableEntry {
  return { protocol, externalPort: external.port, internal };
}
