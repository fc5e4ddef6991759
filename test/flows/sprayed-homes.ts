import {
  checks,
  defineFlow,
  guessablePort,
  interfaces,
  portsInSequence,
  predict,
  race,
  relay,
  sequence,
  spray,
  stun,
  when,
} from '../../src/flows/index.ts';
import { type DialOutcome, homes, runScenario } from '../../src/scenario/index.ts';
import type { Forecast, NatSpec } from '../../src/sim/index.ts';
import { forecast } from '../../src/sim/index.ts';
import { type NatKind, natOfKind } from '../../src/testing/matrix/nat-kind.ts';

/** As the default flow, without what has nothing to do with guessing ports. */
export const guessing = defineFlow({
  discover: [interfaces(), stun()],
  punch: race([checks(), sequence([when(portsInSequence, predict()), when(guessablePort, spray())])], { stagger: 150 }),
  fallback: relay(),
});

export interface SprayedHomes {
  readonly dial: DialOutcome;
  readonly forecast: Forecast;
  /** UDP packets that left each host for an address outside its home, by host and address. */
  readonly sent: ReadonlyMap<string, number>;
}

/** A dials B, each behind one NAT of its kind, 80 ms apart and 40 ms from the server. */
export async function meet(
  a: NatKind,
  b: NatKind,
  { seed, ...options }: NatSpec & { readonly seed: number },
): Promise<SprayedHomes> {
  const scenario = homes({ a: natOfKind(a, options), b: natOfKind(b, options), seed, mapping: false });
  const sent = new Map<string, number>();
  const { dials } = await runScenario(
    { ...scenario, peers: scenario.peers.map((peer) => ({ ...peer, flow: 'guessing' })) },
    {
      flows: { guessing },
      watch(event) {
        if (event.type !== 'packet' || event.record.fate !== 'sent' || event.record.packet.protocol !== 'udp') return;
        const key = `${event.record.place} ${event.record.packet.destination.address}`;
        sent.set(key, (sent.get(key) ?? 0) + 1);
      },
    },
  );
  return { dial: dials[0]!, forecast: forecast(scenario.internet, 'a', 'b'), sent };
}

/** The strategies that made the last paths of both sides. */
export function strategiesOf({ path, listener }: DialOutcome): readonly (string | undefined)[] {
  return [path?.strategy, listener?.paths.at(-1)?.path?.strategy];
}
