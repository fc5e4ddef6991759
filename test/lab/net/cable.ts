import type { NetworkNamespace } from './network-namespace.ts';

/** A line of `ip -batch` that joins two namespaces by a pair of virtual Ethernet devices. */
export function cable(a: NetworkNamespace, deviceOfA: string, b: NetworkNamespace, deviceOfB: string): string {
  return `link add ${deviceOfA} index ${FAR_INDEX} netns ${a.name} type veth peer name ${deviceOfB} netns ${b.name}`;
}

/**
 * Interface index of the first end. Left alone, both ends would often get the same index in their namespaces; the kernel then
 * takes the device for one without a peer, and may let a second pass before it notices that the other end is up.
 */
const FAR_INDEX = 1000;
