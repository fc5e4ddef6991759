import { usage } from '../../sim/fields.ts';
import { SIDES, type Side } from './sight.ts';

/** What the environment and the users of a pair can do. Plain data, past facts. */
export type ModelEvent =
  /** The dialer dials the listener, by a ticket that it had before. */
  | { readonly type: 'dialed' }
  /** As much time as it takes until nothing changes any more. */
  | { readonly type: 'time.passed' }
  /** The rendezvous server, its relay and its STUN services are off the network; what a server says meanwhile is lost. */
  | { readonly type: 'server.lost' }
  | { readonly type: 'server.returned' }
  /** A share of all packets is lost. */
  | { readonly type: 'link.lossy' }
  | { readonly type: 'link.clean' }
  /** The NAT of that side has forgotten its mappings, or the side's sockets have other ports. */
  | { readonly type: 'nat.rebound'; readonly side: Side }
  /** No UDP gets through any more: a direct path is a black hole. */
  | { readonly type: 'udp.blocked' }
  | { readonly type: 'udp.unblocked' }
  /** That side has left its network for another, where it has other addresses. */
  | { readonly type: 'roamed'; readonly side: Side }
  /** The listener's program was killed: nothing is said, and its sockets are gone. */
  | { readonly type: 'listener.ended' }
  /** It was started again, and knows of no connection. `ports`: by chance, its sockets have the ports that they had. */
  | { readonly type: 'listener.returned'; readonly ports?: 'same' }
  /** The router of that side, with its NAT and its gateway, was off for a moment and has forgotten everything. */
  | { readonly type: 'router.rebooted'; readonly side: Side }
  /** Another program has registered the listener's key: dials go there from now on. */
  | { readonly type: 'listener.replaced' }
  /** What signalling brings comes late: answers and candidates overtake nothing, and are overtaken. */
  | { readonly type: 'signaling.delayed' }
  | { readonly type: 'signaling.prompt' }
  /** That side's user has closed the connection. */
  | { readonly type: 'closed'; readonly side: Side }
  /** The dialer's user has aborted it, by the signal that was given to `connect`. */
  | { readonly type: 'aborted' }
  /** That side's session has ended with an error. */
  | { readonly type: 'session.broke'; readonly side: Side }
  /** An actor of that side's charts has failed, as when its logic throws; where there is none of that name, the next one fails. */
  | { readonly type: 'actor.broke'; readonly side: Side; readonly actor: string };

export type ModelEventType = ModelEvent['type'];

/** What happens to pairs every day, in the order in which paths try it. */
export const EVENTS: readonly ModelEvent[] = [
  { type: 'dialed' },
  { type: 'time.passed' },
  { type: 'server.lost' },
  { type: 'server.returned' },
  { type: 'link.lossy' },
  { type: 'link.clean' },
  { type: 'nat.rebound', side: 'dialer' },
  { type: 'nat.rebound', side: 'listener' },
  { type: 'udp.blocked' },
  { type: 'udp.unblocked' },
  { type: 'roamed', side: 'dialer' },
  { type: 'roamed', side: 'listener' },
  { type: 'listener.ended' },
  { type: 'listener.returned' },
  { type: 'signaling.delayed' },
  { type: 'signaling.prompt' },
  { type: 'closed', side: 'dialer' },
  { type: 'closed', side: 'listener' },
  { type: 'aborted' },
];

/** What happens rarely, or only by a mistake of a program: part of a model that asks for it. */
export const RARE_EVENTS: readonly ModelEvent[] = [
  { type: 'router.rebooted', side: 'dialer' },
  { type: 'router.rebooted', side: 'listener' },
  { type: 'listener.replaced' },
  { type: 'listener.returned', ports: 'same' },
  { type: 'session.broke', side: 'dialer' },
  { type: 'session.broke', side: 'listener' },
];

/** The failures of actors of these names, one of each on each side. Errors: `ERR_USAGE`. */
export function actorFaults(actors: readonly string[]): readonly ModelEvent[] {
  if (!Array.isArray(actors)) throw usage('actors', 'must be a list of names');
  return actors.flatMap((actor) => SIDES.map((side): ModelEvent => ({ type: 'actor.broke', side, actor })));
}

/** An event in a sequence, and how long the world is left alone after it. */
export interface ModelStep {
  readonly event: ModelEvent;
  /** ms by the driver's clock, before the next event. */
  readonly pause: number;
}

/** As it reads in titles: `nat.rebound (dialer)`. */
export function describeEvent(event: ModelEvent): string {
  if (event.type === 'actor.broke') return `${event.type} (${event.actor} of the ${event.side})`;
  if (event.type === 'listener.returned' && event.ports !== undefined) return `${event.type} (${event.ports} ports)`;
  return 'side' in event ? `${event.type} (${event.side})` : event.type;
}
