import { type Random, randomInteger } from '../../core/random.ts';

/** External ports that a NAT gives out: all but the system ports (RFC 6335 section 6). Ends included. */
export const NAT_PORTS = { first: 1024, last: 65_535, count: 64_512 } as const;

/**
 * Different ports of {@link NAT_PORTS}, each as likely as any other. `count`: at most as many as there are.
 *
 * They are the first places of a shuffled list of all ports (Fisher and Yates), of which only the places that changed are kept.
 */
export function drawPorts(random: Random, count: number): readonly number[] {
  const moved = new Map<number, number>();
  const at = (place: number): number => moved.get(place) ?? place;
  return Array.from({ length: count }, (_, place) => {
    const chosen = place + randomInteger(random, NAT_PORTS.count - place);
    const port = at(chosen);
    moved.set(chosen, at(place));
    return NAT_PORTS.first + port;
  });
}
