/** The flow that runs in all worlds, and the two halves of a pair. They know an environment, and nothing of what is behind it. */
import { filter, firstValueFrom } from 'rxjs';
import {
  checks,
  createPeer,
  defineFlow,
  type Environment,
  interfaces,
  type Peer,
  race,
  relay,
  stun,
  tcpSimultaneousOpen,
} from 'sallyport';

const flow = defineFlow({
  discover: [interfaces(), stun()],
  punch: race([checks(), tcpSimultaneousOpen()], { stagger: 1_000 }),
  fallback: relay(),
});

export interface Listener {
  readonly peer: Peer;
  readonly ticket: string;
}

export async function listen(env: Environment): Promise<Listener> {
  const peer = await createPeer({ env, flow });
  return { peer, ticket: await peer.createTicket() };
}

/** Tells in words how the two were joined directly. */
export async function dial(env: Environment, ticket: string): Promise<string> {
  const peer = await createPeer({ env, flow });
  try {
    const { path$ } = peer.connect(ticket);
    const path = await firstValueFrom(path$.pipe(filter((path) => path?.kind === 'direct')));
    return `${path?.kind} over ${path?.transport}, by ${path?.strategy}`;
  } finally {
    await peer.close();
  }
}

export async function meet(listening: Environment, dialing: Environment): Promise<string> {
  const { peer, ticket } = await listen(listening);
  try {
    return await dial(dialing, ticket);
  } finally {
    await peer.close();
  }
}
