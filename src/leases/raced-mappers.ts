import { TraversalError } from '../core/errors.ts';
import type { MappingVia } from '../core/port-mapper.ts';
import { type ComposedMachine, compose, defaultMap, mapper, race } from '../flows/index.ts';

/**
 * How a mapping is obtained where no flow says it: by all these mappers, as `defaultMap` does it with its own. `within`: ms for all of
 * them. Errors: `ERR_USAGE` without a mapper, and for two of the same name.
 */
export function racedMappers(names: readonly MappingVia[], within = defaultMap.within): ComposedMachine<'mapping'> {
  const [first, ...others] = names.map((name) => mapper(name, within));
  if (first === undefined) throw new TraversalError('ERR_USAGE', 'leases need a protocol to map ports by');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new TraversalError('ERR_USAGE', `two of the port mappers are called ${twice}`);
  return compose(
    'map',
    race([first, ...others], { stagger: defaultMap.stagger, ...(within !== undefined && { within }) }),
    { ranked: true },
  );
}
