import { type PortSequence, portAfter } from './port-sequence.ts';

/** What both sides know of one of them before they sweep. */
export interface Predicted {
  readonly sequence: PortSequence;
  /** Every destination gets a mapping, and so a port, of its own; else all ports of one address share one (RFC 4787 section 4.1). */
  readonly isPerPort: boolean;
}

/**
 * The ports of the other side to send to, in this order, from one socket and one packet each, while the other side does the same.
 *
 * Others may have taken ports since both were sampled, `x` here and `y` there. The i-th packet from here leaves from the port after `x + i`
 * others, or, where all destinations share a mapping, after `x`. Two packets cross, and each lets the other in, when each goes to where the
 * other comes from:
 *
 * - Where both sides have a mapping for each port, sweeps by equal steps cross only if x + y = 0. By single steps here and double ones
 *   there they cross at the packets i = x + 2y and j = x + y.
 * - Where one side has, or none, sweeps by single steps cross, at x + y at the latest.
 *
 * So `window` packets are enough for x + 2y < `window`. A side that always has the same port is sent one packet.
 */
export function sweep(
  { sequence, isPerPort }: Predicted,
  mine: Pick<Predicted, 'isPerPort'>,
  { role, window }: { readonly role: 'dialer' | 'listener'; readonly window: number },
): readonly number[] {
  if (sequence.step === 0) return [sequence.last];
  const stride = isPerPort && mine.isPerPort && role === 'listener' ? 2 : 1;
  return Array.from({ length: window }, (_, i) => portAfter(sequence, stride * i));
}
