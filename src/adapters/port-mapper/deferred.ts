import { Subject, type Subscription } from 'rxjs';
import { TraversalError } from '../../core/errors.ts';
import type {
  GatewayRestart,
  MappingVia,
  PortMapper,
  PortMapperEnvironment,
  PortMapperFactory,
} from '../../core/port-mapper.ts';

/** UPnP for whoever may never need it. */
export const upnpIgdLater = deferred('upnp-igd', async () => {
  const { upnpIgd } = await import('./upnp-igd/index.ts');
  return upnpIgd();
});

export const natUpnpLater = deferred('nat-upnp', async () => {
  const { natUpnp } = await import('./nat-upnp/index.ts');
  return natUpnp();
});

/** A port mapper with a table, `name` by name, whose code is loaded by the first call: for what takes long to load and may never be asked. */
export function deferred(name: MappingVia, load: () => Promise<PortMapperFactory>): PortMapperFactory {
  return (environment) => createDeferredMapper(name, load, environment);
}

function createDeferredMapper(
  name: MappingVia,
  load: () => Promise<PortMapperFactory>,
  environment: PortMapperEnvironment,
): PortMapper {
  const restarts$ = new Subject<GatewayRestart>();
  let loading: Promise<PortMapper> | undefined;
  let following: Subscription | undefined;
  let closed = false;

  async function loadMapper(): Promise<PortMapper> {
    const mapper = (await load())(environment);
    following = mapper.restarts$.subscribe((restart) => restarts$.next(restart));
    return mapper;
  }

  function loaded(): Promise<PortMapper> {
    if (closed) return Promise.reject(new TraversalError('ERR_CLOSED', `${name}: the port mapper is closed`));
    loading ??= loadMapper();
    return loading;
  }

  return {
    name,
    map: async (request, options) => (await loaded()).map(request, options),
    renew: async (mapping, options) => (await loaded()).renew(mapping, options),
    release: async (mapping, options) => (await loaded()).release(mapping, options),
    list: async (options) => (await (await loaded()).list?.(options)) ?? [],
    restarts$: restarts$.asObservable(),
    async close() {
      if (closed) return;
      closed = true;
      const mapper = await loading;
      following?.unsubscribe();
      restarts$.complete();
      await mapper?.close();
    },
  };
}
