import { expect } from 'vitest';
import type { Endpoint } from '../../core/endpoint.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Mapping, MappingProtocol, MappingRequest, MappingVia, PortMapper } from '../../core/port-mapper.ts';
import { Bench, type ComplianceWorld } from './suite.ts';

/** A host, and a gateway that speaks the protocol of its port mappers. */
export interface PortMapperWorld extends ComplianceWorld {
  /** What every port mapper of this world is called. */
  readonly via: MappingVia;
  /** ms that a call may take when nobody answers. */
  readonly budget: number;
  /** Address of the host, as the gateway knows it. */
  readonly host: string;
  readonly gateway: GatewayUnderTest;
  /** Another port mapper on the host, which is closed with the world. */
  open(): Promise<PortMapper>;
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

export class PortMapperBench extends Bench<PortMapperWorld> {}

/** What most tests ask for. */
export const REQUEST: MappingRequest = { protocol: 'udp', internalPort: 5000 };

/** Either it is done, where the gateway was quick, or it was ended by this code. */
export async function doneOr(code: ErrorCode, call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => expect(error).toMatchObject({ code }));
}
