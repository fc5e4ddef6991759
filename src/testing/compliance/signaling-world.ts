import { generateKeyPairSync, sign } from 'node:crypto';
import type { Registration, Signaling, StandingAnswer } from '../../core/signaling.ts';
import { filled } from './bytes.ts';
import { type SignalingClient, watchSignaling } from './signaling-client.ts';
import { Bench, type ComplianceWorld } from './suite.ts';

/** Whatever signalling goes by. */
export interface AnySignalingWorld extends ComplianceWorld {
  /** A new client, not yet connected. */
  signaling(): Signaling;
}

/** A rendezvous server with clients, as an adapter offers it. */
export interface SignalingWorld extends AnySignalingWorld {
  /** A new client of another server, which {@link SignalingWorld.stop} leaves alone. */
  elsewhere(): Promise<Signaling>;
  /** Ends the server and every connection to it. */
  stop(): Promise<void>;
  /** A server that remembers nothing, at the same place. */
  start(): Promise<void>;
}

export class AnySignalingBench<World extends AnySignalingWorld = AnySignalingWorld> extends Bench<World> {
  open(): SignalingClient {
    return this.watch(this.world.signaling());
  }

  watch(signaling: Signaling): SignalingClient {
    return watchSignaling(this.closeAfterwards(signaling));
  }
}

export class SignalingBench extends AnySignalingBench<SignalingWorld> {
  /** A client that is registered. */
  async listen(registration: Registration): Promise<SignalingClient> {
    const listener = this.open();
    listener.signaling.register(registration);
    await listener.next('registered');
    return listener;
  }

  /** A session that the listener has answered. */
  async join(session = filled(16, 1)): Promise<JoinedSession> {
    const identity = createRegistration();
    const listener = await this.listen(identity);
    const dialer = this.open();
    dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: filled(10, 1) });
    await listener.next('offer');
    listener.signaling.send(session, filled(10, 2));
    await dialer.next('envelope');
    return { dialer, listener, session, identity };
  }
}

export interface JoinedSession {
  readonly dialer: SignalingClient;
  readonly listener: SignalingClient;
  readonly session: Uint8Array;
  readonly identity: Registration;
}

/** A ticket's id. */
export const TICKET = filled(16, 200);

/** Of a fresh identity. */
export function createRegistration(standing: readonly StandingAnswer[] = []): Registration {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    key: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    since: 1_700_000_000_000,
    standing,
  };
}
