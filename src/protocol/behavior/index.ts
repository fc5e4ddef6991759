/** Discovery of what a NAT does (RFC 4787, RFC 5780): conclusions from observations, sans-IO. */
export { alternates, otherAddress } from './alternates.ts';
export { classify } from './classify.ts';
export type { FilteringTest } from './filtering.ts';
