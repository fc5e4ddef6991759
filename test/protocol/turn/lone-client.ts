import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import {
  decodeMessage,
  type EncodableAttribute,
  type EncodeOptions,
  encodeMessage,
  longTermKey,
  type StunMessage,
} from '../../../src/protocol/stun/index.ts';
import { createTurnClient, type TurnClientOptions, type TurnClientOutput } from '../../../src/protocol/turn/index.ts';
import { seededRandom } from '../../seeded-random.ts';
import { ALICE, SERVER } from './bench.ts';

const RELAYED = endpoint('203.0.113.1', 50_000);
const MAPPED = endpoint('192.0.2.10', 40_000);

/** A client by itself, whose server is the test. */
export class LoneClient {
  readonly client;
  now = 0;
  outputs: TurnClientOutput[] = [];
  readonly #key: EncodeOptions = { integrityKey: longTermKey(ALICE.username, 'r', ALICE.password) };

  constructor(options: Partial<TurnClientOptions> = {}) {
    this.client = createTurnClient({ server: SERVER, random: seededRandom(1), ...ALICE, ...options });
  }

  /** Lets time go on, and returns what was put out, each with its time. */
  until(ms: number): [number, TurnClientOutput][] {
    const seen: [number, TurnClientOutput][] = [];
    for (;;) {
      const output = this.client.poll(this.now);
      if (output.type !== 'wait') seen.push([this.now, output]);
      else if (output.until === undefined || output.until > ms) break;
      else this.now = Math.max(this.now, output.until);
    }
    this.now = ms;
    return seen;
  }

  /** What is sent next, and where to. */
  transmission(): { to: Endpoint; message: StunMessage } {
    const [first] = this.until(this.now);
    if (first?.[1].type !== 'transmit') throw new Error(`no request, but ${JSON.stringify(first)}`);
    return { to: first[1].to, message: decodeMessage(first[1].bytes) };
  }

  /** The request that is sent next. */
  request(): StunMessage {
    return this.transmission().message;
  }

  answer(
    { method, transactionId }: StunMessage,
    response: number | 'success',
    attributes: readonly EncodableAttribute[] = [],
    options: EncodeOptions = this.#key,
    from = SERVER,
  ): void {
    const error = { type: 'error-code', code: response as number, reason: '' } as const;
    this.hear(
      encodeMessage(
        response === 'success'
          ? { class: 'success', method, transactionId, attributes }
          : { class: 'error', method, transactionId, attributes: [error, ...attributes] },
        options,
      ),
      from,
    );
  }

  hear(bytes: Uint8Array, from = SERVER): void {
    this.client.handle({ type: 'received', bytes, from }, this.now);
  }

  /** Up to an allocation, with a server of RFC 5389. */
  allocate(attributes: readonly EncodableAttribute[] = GRANTED): void {
    this.client.handle({ type: 'allocate' }, this.now);
    this.answer(this.request(), 401, CHALLENGE, {});
    this.answer(this.request(), 'success', attributes);
  }

  /** Events so far that were not looked at. */
  get events(): unknown[] {
    return this.until(this.now).flatMap(([, output]) => (output.type === 'event' ? [output.event] : []));
  }
}

export const CHALLENGE: EncodableAttribute[] = [
  { type: 'realm', value: 'r' },
  { type: 'nonce', value: 'n1' },
];
export const GRANTED: EncodableAttribute[] = [
  { type: 'xor-relayed-address', endpoint: RELAYED },
  { type: 'xor-mapped-address', endpoint: MAPPED },
  { type: 'lifetime', value: 600 },
];

/** The events that there are when a client has failed. */
export const failed = (failure: object) => [{ type: 'failed', failure }];
