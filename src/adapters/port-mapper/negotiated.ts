import { merge } from 'rxjs';
import { GatewayError } from '../../core/errors.ts';
import type { Mapping, PortMapper } from '../../core/port-mapper.ts';

/**
 * A port mapper with an older one behind it, for gateways that refuse the version (RFC 6887 section 9). What a mapping says of itself
 * tells which of them renews and releases it.
 */
export function negotiated(preferred: PortMapper, older: PortMapper): PortMapper {
  const makerOf = (mapping: Mapping): PortMapper => (mapping.via === older.name ? older : preferred);
  return {
    name: preferred.name,
    async map(request, options) {
      try {
        return await preferred.map(request, options);
      } catch (error) {
        if (error instanceof GatewayError && error.result === 'UNSUPP_VERSION') return older.map(request, options);
        throw error;
      }
    },
    renew: (mapping, options) => makerOf(mapping).renew(mapping, options),
    release: (mapping, options) => makerOf(mapping).release(mapping, options),
    restarts$: merge(preferred.restarts$, older.restarts$),
    async close() {
      await Promise.all([preferred.close(), older.close()]);
    },
  };
}
