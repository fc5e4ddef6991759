import type { Endpoint } from '../../src/core/endpoint.ts';
import type { GatewayClient, GatewayEvent } from '../../src/protocol/gateway-client.ts';

/** What a client did while time passed, with times in ms. */
export interface GatewayRun<Response> {
  readonly sent: readonly { readonly at: number; readonly to: Endpoint; readonly bytes: Uint8Array }[];
  readonly events: readonly GatewayEvent<Response>[];
}

/** Polls a client as a pump would, from `from` until it has nothing more to do before `until`. */
export function runUntil<Request, Response>(
  client: GatewayClient<Request, Response>,
  from: number,
  until: number,
): GatewayRun<Response> {
  const sent: { at: number; to: Endpoint; bytes: Uint8Array }[] = [];
  const events: GatewayEvent<Response>[] = [];
  let now = from;
  for (;;) {
    const output = client.poll(now);
    if (output.type === 'transmit') sent.push({ at: now, to: output.to, bytes: output.bytes });
    else if (output.type === 'event') events.push(output.event);
    else if (output.until === undefined || output.until > until) return { sent, events };
    else now = Math.max(now, output.until);
  }
}
