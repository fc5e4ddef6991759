import type { Family } from '../core/endpoint.ts';
import type { AddressBook } from './address-book.ts';
import type { Interface } from './interface.ts';
import type { Link } from './link.ts';
import type { LinkSpec } from './link-spec.ts';
import type { Node } from './node.ts';
import type { Prefix } from './prefix.ts';

/** An address realm (RFC 2663 section 2.1): a network whose addresses mean something within it. */
export interface Realm {
  readonly name: string;
  /** Its own blocks of addresses; none where it has addresses of all blocks. */
  readonly prefixes: readonly Prefix[];
  /** The one above, if any. */
  readonly above: Realm | undefined;
  /** Who has which address. */
  readonly addresses: AddressBook;
  /** Whether its addresses of a family mean something on the whole internet: no NAT is above. */
  isPublic(family: Family): boolean;
  /** Of links that nobody specified. */
  readonly defaultLink: LinkSpec;
  /** Joins an interface, which gets the addresses, and a default route by the realm's router. */
  join(node: Node, at: Interface, addresses: readonly string[], link: Link): void;
  /** The interface has no part in the realm any more; its addresses are free, and nothing is routed to it. */
  leave(node: Node, at: Interface): void;
  /** Lets packets for a block of addresses go to a router that has joined. Errors: `ERR_USAGE` when the block is another's. */
  delegate(prefix: Prefix, to: Interface, path: string): void;
}
