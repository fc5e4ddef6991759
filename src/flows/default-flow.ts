import { defaultMap } from './default-map.ts';
import { defineFlow } from './define-flow.ts';
import { fallback } from './fallback.ts';
import { guessablePort, portsInSequence } from './port-evidence.ts';
import { race } from './race.ts';
import { sequence } from './sequence.ts';
import { checks } from './strategies/checks.ts';
import { interfaces } from './strategies/interfaces.ts';
import { predict } from './strategies/predict.ts';
import { relay } from './strategies/relay.ts';
import { spray } from './strategies/spray.ts';
import { stun } from './strategies/stun.ts';
import { tcpSimultaneousOpen } from './strategies/tcp-simultaneous-open.ts';
import { turn } from './strategies/turn.ts';
import { when } from './when.ts';

/** What a peer does unless it is told otherwise: a relayed path at once, a direct one as soon as there is one. */
export const defaultFlow = defineFlow({
  discover: [interfaces(), stun()],
  map: defaultMap,
  punch: race(
    [
      race([checks(), sequence([when(portsInSequence, predict()), when(guessablePort, spray())])], { stagger: 150 }),
      // By then checks over UDP have had their time, and those over TCP a round trip.
      tcpSimultaneousOpen(),
    ],
    { stagger: 600 },
  ),
  fallback: fallback(relay(), turn(), { after: 1_000 }),
});
