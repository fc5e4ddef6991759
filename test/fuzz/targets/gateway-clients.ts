import { endpoint } from '../../../src/core/endpoint.ts';
import type { GatewayClient } from '../../../src/protocol/gateway-client.ts';
import { createNatPmpClient } from '../../../src/protocol/natpmp/index.ts';
import { createPcpClient } from '../../../src/protocol/pcp/index.ts';
import { runUntil } from '../../protocol/gateway-run.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { seededChance } from '../engine/chance.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { must, type Target } from '../engine/target.ts';
import { natPmpResponses, pcpResponses } from './gateway-messages.ts';

const SERVER = endpoint('192.0.2.1', 5351);
const STRANGER = endpoint('192.0.2.66', 5351);

/** ms that the request under attack has. */
const TIMEOUT = 2000;

/** A client that has asked hears an input twice, once before that from a stranger; then its time runs out. */
function clientTarget<Request, Response>(
  name: string,
  seeds: readonly Uint8Array[],
  create: () => GatewayClient<Request, Response>,
  request: Request,
): Target {
  return {
    name,
    seeds,
    mutate: mutateBytes,
    share: 0.3,
    run(input) {
      const client = create();
      client.handle({ type: 'request', id: 1, request, timeout: TIMEOUT }, 0);
      must(runUntil(client, 0, 0).sent.length === 1, 'a request is sent');
      client.handle({ type: 'datagram', data: input, from: STRANGER }, 10);
      must(runUntil(client, 10, 10).events.length === 0, 'a stranger is not listened to');
      const heard = [20, 30].flatMap((now) => {
        client.handle({ type: 'datagram', data: input, from: SERVER }, now);
        return runUntil(client, now, now).events;
      });
      const { sent, events } = runUntil(client, 30, 10 * TIMEOUT);
      const all = [...heard, ...events];
      const ended = all.filter(({ type }) => type !== 'restarted');
      must(ended.length === 1, 'a request is answered, or its time runs out, once', () => all);
      must(all.length <= 3 && sent.length <= 3, 'nothing more is said or sent', () => [all, sent]);
      const { foreign, malformed, unmatched } = client.dropped;
      must(foreign === 1 && malformed + unmatched <= 2, 'what changes nothing is counted once', () => client.dropped);
      must(client.heard === malformed + unmatched < 2, 'a gateway was heard when something of it was used');
      return all.map((event) => event.type).join(', ') + (malformed > 0 ? ', malformed' : '');
    },
  };
}

export const natPmpClient = clientTarget('natpmp-client', natPmpResponses, () => createNatPmpClient(SERVER), {
  opcode: 'udp' as const,
  internalPort: 5000,
  externalPort: 5000,
  lifetime: 3600,
});

export const pcpClient = clientTarget(
  'pcp-client',
  pcpResponses,
  () => createPcpClient(SERVER, { random: seededChance(1), initial: 250 }),
  {
    lifetime: 3600,
    clientAddress: '192.0.2.2',
    payload: {
      opcode: 'MAP' as const,
      nonce: filled(12, 7),
      protocol: 17,
      internalPort: 5000,
      external: endpoint('0.0.0.0', 5000),
    },
    options: [],
  },
);
