import { endpoint } from '../../../src/core/endpoint.ts';
import {
  attribute,
  decodeMessage,
  type EncodableAttribute,
  LongTermClient,
  type LongTermCredentials,
  type StunMessage,
} from '../../../src/protocol/stun/index.ts';
import {
  ALLOCATE,
  type FiveTuple,
  type TurnServer,
  type TurnServerAction,
  type TurnTransport,
  UDP_PROTOCOL,
} from '../../../src/protocol/turn/index.ts';
import { seededRandom } from '../../seeded-random.ts';
import { ALICE, SERVER } from './bench.ts';

/** REQUESTED-TRANSPORT: UDP. */
export const UDP: EncodableAttribute = { type: 'requested-transport', protocol: UDP_PROTOCOL };

/** A client that sends whatever a test wants it to, and answers challenges. */
export class RawClient {
  readonly tuple: FiveTuple;
  readonly credentials: LongTermClient;
  /** The last request as it was sent. */
  sent: Uint8Array = new Uint8Array(0);
  /** What the server wanted done with the last request, besides answering. */
  actions: TurnServerAction[] = [];
  /** Whether relayed transport addresses are bound at once; or never, until the test says so. */
  binds = true;
  readonly #server: TurnServer;
  readonly #random = seededRandom(3);

  constructor(
    server: TurnServer,
    options: { port?: number; address?: string; transport?: TurnTransport; credentials?: LongTermCredentials } = {},
  ) {
    const { port = 40_000, address = '192.0.2.10', transport = 'udp', credentials = ALICE } = options;
    this.#server = server;
    this.credentials = new LongTermClient(credentials);
    this.tuple = { transport, client: endpoint(address, port), server: SERVER };
  }

  /** The answer, after a challenge if there is one; `undefined` when there is none. */
  ask(method: number, attributes: readonly EncodableAttribute[], now = 0): StunMessage | undefined {
    const wasSigned = this.credentials.challenged;
    const response = this.askOnce(method, attributes, now);
    if (response === undefined || this.credentials.judge(response, wasSigned) !== 'retry') return response;
    const again = this.askOnce(method, attributes, now);
    if (again !== undefined && this.credentials.judge(again, true) === 'unauthenticated') throw new Error('not signed');
    return again;
  }

  /** One request and its answer. */
  askOnce(method: number, attributes: readonly EncodableAttribute[], now = 0): StunMessage | undefined {
    const transactionId = this.#random.bytes(12);
    return this.deliver(this.credentials.encode({ class: 'request', method, transactionId, attributes }), now);
  }

  /** Bytes to the server, and what it sends back to this client. */
  deliver(bytes: Uint8Array, now = 0): StunMessage | undefined {
    this.sent = bytes;
    this.actions = [];
    return this.#perform(this.#server.receive(bytes, this.tuple, now), now);
  }

  /** An Allocate request for UDP, with more attributes. */
  allocate(attributes: readonly EncodableAttribute[] = [], now = 0): StunMessage | undefined {
    return this.ask(ALLOCATE, [UDP, ...attributes], now);
  }

  #perform(actions: readonly TurnServerAction[], now: number): StunMessage | undefined {
    let answer: StunMessage | undefined;
    for (const action of actions) {
      if (action.type === 'send') answer = decodeMessage(action.bytes);
      else this.actions.push(action);
      if (action.type === 'bind' && this.binds)
        answer = this.#perform(this.#server.bound(action.relayed, now), now) ?? answer;
    }
    return answer;
  }
}

/** The error code of a response, or its class. */
export function outcome(response: StunMessage | undefined): number | string {
  if (response === undefined) return 'nothing';
  return attribute(response, 'error-code')?.code ?? response.class;
}
