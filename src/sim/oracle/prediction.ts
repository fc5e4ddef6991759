import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { observe, type Side, type Stage } from './stage.ts';

/**
 * The endpoint that the side's next mapping will have, by what four servers see of its socket one after the other: the same
 * again, or the next in sequence. `undefined` when they see no order, or nothing.
 */
export function predictEndpoint(stage: Stage, side: Side): Endpoint | undefined {
  const seen: Endpoint[] = [];
  for (const server of stage.servers) {
    const endpoint = observe(stage, side, server, 'udp');
    if (endpoint === undefined) return undefined;
    if (!seen.some((before) => sameEndpoint(before, endpoint))) seen.push(endpoint);
  }
  const last = seen.at(-1)!;
  const deltas = seen.slice(1).map(({ port }, i) => port - seen[i]!.port);
  const [delta = 0] = deltas;
  const isInOrder = deltas.every((other) => other === delta) && seen.every(({ address }) => address === last.address);
  return isInOrder ? { ...last, port: last.port + delta } : undefined;
}
