import type { Network } from '../core/network.ts';
import type { Mapping, MappingRequest, PortMapper } from '../core/port-mapper.ts';
import type { LeaseBook } from './lease-book.ts';
import type { Holding, Withdrawals } from './withdrawals.ts';

/**
 * What ended processes have left at the gateway. It is taken over with the first claim; what nobody claims then is ended in the
 * background. All of it is noted at once, so that what cannot be ended is left to a later process.
 */
export interface Leftovers {
  /** The one to go on with for a request, if there is one. Others in its way, of the same port of this host, have been ended by then. */
  claim(request: MappingRequest): Promise<Holding | undefined>;
  /** Fulfils when no more are being ended. */
  settled(): Promise<void>;
}

export interface LeftoversOptions {
  readonly mappers: readonly PortMapper[];
  readonly network: Pick<Network, 'interfaces'>;
  readonly book: LeaseBook;
  readonly withdrawals: Withdrawals;
}

export function createLeftovers({ mappers, network, book, withdrawals }: LeftoversOptions): Leftovers {
  let unclaimed: Holding[] = [];
  let ending: { readonly mapping: Mapping; readonly done: Promise<boolean> } | undefined;
  let taken: Promise<void> | undefined;
  let swept: Promise<void> | undefined;

  /** Those of protocols that are not here, or of addresses that this host has no more, are beyond our reach. */
  async function take(): Promise<void> {
    const own = new Set(network.interfaces().map(({ address }) => address));
    for (const mapping of await book.takeLeftovers()) {
      const key = await book.enter(mapping);
      const maker = mappers.find(({ name }) => name === mapping.via);
      if (maker !== undefined && own.has(mapping.internal.address)) unclaimed.push({ key, mapping, maker });
    }
  }

  /** One after the other, and of a gateway that is silent only the first. */
  async function sweep(): Promise<void> {
    const silent = new Set<string>();
    for (let next = unclaimed.shift(); next !== undefined; next = unclaimed.shift()) {
      const { mapping } = next;
      const where = `${mapping.via} ${mapping.gateway}`;
      if (silent.has(where)) continue;
      ending = { mapping, done: withdrawals.end(next) };
      if (!(await ending.done)) silent.add(where);
    }
    ending = undefined;
  }

  function begin(): Promise<void> {
    const taking = take();
    // A turn later than the claims that have waited for it.
    swept = taking.then(() => {}).then(sweep);
    return taking;
  }

  return {
    async claim(request) {
      taken ??= begin();
      await taken;
      const inTheWay = unclaimed.filter(({ mapping }) => isOfPort(mapping, request));
      unclaimed = unclaimed.filter((holding) => !inTheWay.includes(holding));
      const usable = inTheWay.find(({ mapping }) => suits(mapping, request));
      const others = inTheWay.filter((holding) => holding !== usable).map((holding) => withdrawals.end(holding));
      if (ending !== undefined && isOfPort(ending.mapping, request)) others.push(ending.done);
      await Promise.all(others);
      return usable;
    },
    settled: async () => swept,
  };
}

function isOfPort({ protocol, internal }: Mapping, request: MappingRequest): boolean {
  const { internalAddress = internal.address } = request;
  return (
    protocol === request.protocol && internal.port === request.internalPort && internal.address === internalAddress
  );
}

/** An external port that was asked for by name is not to be another one. */
function suits({ external }: Mapping, { internalPort, externalPort, onConflict }: MappingRequest): boolean {
  const named = externalPort ?? (onConflict === 'fail' ? internalPort : undefined);
  return named === undefined || external.port === named;
}
