import {
  BINDING,
  type EncodableAttribute,
  encodeMessage,
  type StunMessage,
  shortTermKey,
} from '../../../src/protocol/stun/index.ts';
import { LEFT, RIGHT } from './pair-of-agents.ts';

let counter = 0;

/** 12 bytes, never the same again. */
function freshId(): Uint8Array {
  const id = Buffer.alloc(12, 0xa5);
  id.writeUInt32BE(++counter, 8);
  return id;
}

/** A check such as the right agent sends to the left one, with whatever is to be wrong about it. */
export function checkFromRight(
  change: { username?: string; pwd?: string; attributes?: readonly EncodableAttribute[]; signed?: boolean } = {},
): Uint8Array {
  const { username = `${LEFT.ufrag}:${RIGHT.ufrag}`, pwd = LEFT.pwd, signed = true } = change;
  const { attributes = [PRIORITY, { type: 'ice-controlled', tieBreaker: 1n }] } = change;
  return encodeMessage(
    {
      class: 'request',
      method: BINDING,
      transactionId: freshId(),
      attributes: [{ type: 'username', value: username }, ...attributes],
    },
    { ...(signed && { integrityKey: shortTermKey(pwd) }), fingerprint: true },
  );
}

export const PRIORITY: EncodableAttribute = { type: 'priority', value: 12_345 };

/** A response to a check of the left agent. */
export function responseFromRight(
  request: Pick<StunMessage, 'transactionId'>,
  attributes: readonly EncodableAttribute[],
  { kind = 'success', pwd = RIGHT.pwd }: { kind?: 'success' | 'error'; pwd?: string } = {},
): Uint8Array {
  return encodeMessage(
    { class: kind, method: BINDING, transactionId: request.transactionId, attributes },
    { integrityKey: shortTermKey(pwd), fingerprint: true },
  );
}
