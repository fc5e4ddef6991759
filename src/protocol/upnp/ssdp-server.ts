import { DecodeError } from '../../core/errors.ts';
import { type IgdIdentity, igdTypes } from './igd-description.ts';
import { decodeSearch, encodeSsdp } from './ssdp.ts';

/** What a gateway says over SSDP (UPnP Device Architecture 2.0 section 1), without input or output of its own. */
export interface SsdpServer {
  /** To whom a datagram came from: an answer for each part that it searches for. Never throws. */
  answers(data: Uint8Array): readonly Uint8Array[];
  /** To all: that each part is there. Said when it starts. */
  alive(): readonly Uint8Array[];
}

export interface SsdpServerOptions {
  readonly identity: IgdIdentity;
  /** URL of its description. */
  readonly location: string;
  /** Another one after each start. */
  readonly bootId: string;
}

export function createSsdpServer({ identity, location, bootId }: SsdpServerOptions): SsdpServer {
  const parts = partsOf(identity);
  const configId = '1';
  return {
    answers(data) {
      const search = searchOrUndefined(data);
      if (search === undefined) return [];
      return parts.flatMap((part) => {
        const target = answered(search, part.target);
        if (target === undefined) return [];
        const usn = part.isUuid ? target : `uuid:${part.uuid}::${target}`;
        return [encodeSsdp({ kind: 'response', target, usn, location, bootId, configId }, MAX_AGE)];
      });
    },
    alive: () =>
      parts.map(({ target, uuid, isUuid }) => {
        const usn = isUuid ? target : `uuid:${uuid}::${target}`;
        const message = { kind: 'alive', target, usn, location, bootId, configId, nextBootId: undefined } as const;
        return encodeSsdp(message, MAX_AGE);
      }),
  };
}

/** What can be searched for: the root device, each device by its id and by its type, the service by its type (section 1.2.2). */
interface Part {
  readonly target: string;
  /** Of the device. */
  readonly uuid: string;
  readonly isUuid: boolean;
}

function partsOf({ version, uuids }: IgdIdentity): readonly Part[] {
  const { devices, service } = igdTypes(version);
  return [
    { target: 'upnp:rootdevice', uuid: uuids[0], isUuid: false },
    ...devices.flatMap((type, i) => [
      { target: `uuid:${uuids[i]}`, uuid: uuids[i]!, isUuid: true },
      { target: type, uuid: uuids[i]!, isUuid: false },
    ]),
    { target: service, uuid: uuids[2], isUuid: false },
  ];
}

/** The target that a part answers a search with, if it does: that which was searched for, also of a lower version (section 1.3.3). */
function answered(search: string, target: string): string | undefined {
  if (search === 'ssdp:all' || search === target) return target;
  const [wanted, has] = [VERSIONED.exec(search), VERSIONED.exec(target)];
  if (wanted === null || has === null || wanted[1] !== has[1]) return undefined;
  return Number(wanted[2]) <= Number(has[2]) ? search : undefined;
}

const VERSIONED = /^(urn:.+:)([1-9]\d{0,2})$/;

function searchOrUndefined(data: Uint8Array): string | undefined {
  try {
    return decodeSearch(data);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Seconds, the least that the architecture recommends (section 1.2.2). */
const MAX_AGE = 1800;
