import type { Family } from '../../core/endpoint.ts';
import type { EncodableAttribute, OutgoingMessage } from '../stun/index.ts';
import type { TurnRequest } from './client-transaction.ts';
import { ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, UDP_PROTOCOL } from './method.ts';

/** What a client wants of its allocation. */
export interface RequestTerms {
  readonly family: Family;
  /** In s; absent: as the server likes. */
  readonly lifetime: number | undefined;
}

/** A request of a client, without credentials (RFC 8656 sections 7.1, 8.1, 10.1 and 12.1). */
export function turnRequest(request: TurnRequest, transactionId: Uint8Array, terms: RequestTerms): OutgoingMessage {
  const { method, attributes } = contents(request, terms);
  return { class: 'request', method, transactionId, attributes };
}

function contents(
  request: TurnRequest,
  { family, lifetime }: RequestTerms,
): Pick<OutgoingMessage, 'method' | 'attributes'> {
  const wanted: EncodableAttribute[] = lifetime === undefined ? [] : [{ type: 'lifetime', value: lifetime }];
  switch (request.type) {
    case 'allocate': {
      const transport: EncodableAttribute = { type: 'requested-transport', protocol: UDP_PROTOCOL };
      // IPv4 is what a server gives unless asked, and those of RFC 5766 cannot be asked.
      const other: EncodableAttribute[] = family === 4 ? [] : [{ type: 'requested-address-family', family }];
      return { method: ALLOCATE, attributes: [transport, ...other, ...wanted] };
    }
    case 'refresh':
      return { method: REFRESH, attributes: wanted };
    case 'release':
      return { method: REFRESH, attributes: [{ type: 'lifetime', value: 0 }] };
    case 'keep': {
      const { peer, channel } = request.kept;
      const address: EncodableAttribute = { type: 'xor-peer-address', endpoint: peer };
      return channel === undefined
        ? { method: CREATE_PERMISSION, attributes: [address] }
        : { method: CHANNEL_BIND, attributes: [{ type: 'channel-number', channel }, address] };
    }
  }
}
