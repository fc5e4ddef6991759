import { NEVER } from 'rxjs';
import type { PortMapper } from '../../../../src/core/port-mapper.ts';
import { changed, type Faults } from './fault.ts';

export const portMapperFaults: Faults<PortMapper> = {
  'leaves a mapping behind when it is aborted': {
    noticedBy: 'has a mapping or leaves none, whenever it is aborted',
    plant: (mapper) =>
      changed(mapper, {
        map: async (request, options) => {
          const mapping = await mapper.map(request);
          options?.signal?.throwIfAborted();
          return mapping;
        },
      }),
  },
  'releases nothing': {
    noticedBy: 'releases, and again what is released',
    plant: (mapper) => changed(mapper, { release: async () => {} }),
  },
  'takes another port also where none will do': {
    noticedBy: 'fails for a port that is taken, where that is wished, and leaves nothing',
    plant: (mapper) =>
      changed(mapper, { map: ({ onConflict: _, ...request }, options) => mapper.map(request, options) }),
  },
  'says that mappings hold for twice as long': {
    noticedBy: 'maps the udp port that it is asked for, and says what it is',
    plant: (mapper) =>
      changed(mapper, {
        async map(request, options) {
          const mapping = await mapper.map(request, options);
          return { ...mapping, goodUntil: mapping.goodUntil + mapping.lifetime * 1_000 };
        },
      }),
  },
  'takes mappings of others for its own': {
    noticedBy: 'says ERR_USAGE to a mapping of another adapter, and leaves it',
    plant: (mapper) =>
      changed(mapper, { renew: (mapping, options) => mapper.renew({ ...mapping, via: 'nat-pmp' }, options) }),
  },
  'tells of no restart': {
    noticedBy:
      'tells of a gateway that has lost its mappings, at the next renewal at the latest, which makes them again',
    plant: (mapper) => changed(mapper, { restarts$: NEVER }),
  },
};
