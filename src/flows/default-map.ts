import { race } from './race.ts';
import { natPmp } from './strategies/nat-pmp.ts';
import { pcp } from './strategies/pcp.ts';
import { upnp } from './strategies/upnp.ts';

/**
 * How a gateway is asked for a port mapping unless told otherwise. A gateway on the same network answers within some milliseconds, so
 * that usually the first protocol alone is asked.
 */
export const defaultMap = race([pcp(), natPmp(), upnp()], { stagger: 250, within: 5_000 });
