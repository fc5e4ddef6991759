import { beforeEach, describe, expect, it } from 'vitest';
import type { Registration } from '../../../src/core/signaling.ts';
import { createRendezvousClient, type RendezvousClient } from '../../../src/protocol/rendezvous/index.ts';
import { registrationProof, verifyRegistration } from '../../../src/protocol/rendezvous/registration-proof.ts';
import {
  decodeClientFrame,
  encodeFrame,
  type RegisterFrame,
  type ServerFrame,
} from '../../../src/protocol/rendezvous/wire.ts';
import { seededRandom } from '../../seeded-random.ts';
import { filled, testIdentity } from './support.ts';

const identity = testIdentity();
const offer = { session: filled(16, 1), to: filled(32, 2), ticketId: filled(16, 3), envelope: filled(10, 4) };

function hello(challenge: number, { standing = 16, name = 'a.example' } = {}): string {
  const frame: ServerFrame = {
    type: 'hello',
    v: 1,
    name,
    challenge: filled(32, challenge),
    stun: [],
    relay: true,
    limits: { standing, datagram: 1500 },
  };
  return encodeFrame(frame);
}

/** The frames that the client sends on this hello. */
function greet(client: RendezvousClient, text: string): RegisterFrame[] {
  const received = client.receive(text);
  if (received.type !== 'hello') throw new Error('that was a hello');
  return received.registering.frames.map(decodeClientFrame) as RegisterFrame[];
}

/** The frames of a registration on a standing connection. */
function register(registration: Registration): RegisterFrame[] {
  return client.register(registration).frames.map(decodeClientFrame) as RegisterFrame[];
}

const server = 'a.example';

let client: RendezvousClient;
beforeEach(() => {
  client = createRendezvousClient({ random: seededRandom('client'), server });
});

describe('rendezvous client', () => {
  it('sends offers made early as soon as the connection stands, before any hello, the last of each session', () => {
    expect(client.offer(offer)).toEqual([]);
    expect(client.offer({ ...offer, envelope: filled(10, 5) })).toEqual([]);
    const frames = client.opened().map(decodeClientFrame);
    expect(frames).toMatchObject([{ type: 'offer', session: offer.session, envelope: filled(10, 5) }]);
    client.closed();
    expect(client.opened()).toEqual([]);
  });

  it('does not send an early offer of a session that was left', () => {
    client.offer(offer);
    client.leave(offer.session);
    expect(client.opened()).toEqual([]);
  });

  it('keeps at most 256 early offers', () => {
    for (let i = 0; i < 300; i++)
      client.offer({ ...offer, session: Uint8Array.from({ length: 16 }, (_, j) => i >> j) });
    expect(client.opened()).toHaveLength(256);
  });

  it('shows the same caller token with every offer, on every connection', () => {
    client.opened();
    const [first] = client.offer(offer).map(decodeClientFrame);
    client.closed();
    client.opened();
    const [second] = client.offer(offer).map(decodeClientFrame);
    expect(first).toEqual(second);
    const other = createRendezvousClient({ random: seededRandom('other'), server });
    other.opened();
    expect(other.offer(offer).map(decodeClientFrame)).not.toEqual([first]);
  });

  it('signs each server’s challenge, on every connection anew', () => {
    const registration = { ...identity, standing: [{ ticketId: filled(16, 1), envelope: filled(9, 1) }] };
    expect(client.register(registration)).toEqual({ frames: [] });
    for (const challenge of [1, 2]) {
      client.opened();
      const [frame] = greet(client, hello(challenge));
      expect(frame).toMatchObject({ type: 'register', key: identity.key, standing: registration.standing });
      expect(verifyRegistration(frame!, 'a.example', filled(32, challenge))).toBe(true);
      client.closed();
    }
  });

  it.each([
    ['a.example', 'A.Example:443'],
    ['a.example', 'a.example:80'],
    ['[2001:db8::1]:8790', '[2001:DB8:0::1]:8790'],
  ])('registers at %s, which calls itself %s', (dialled, name) => {
    client = createRendezvousClient({ random: seededRandom('client'), server: dialled });
    client.register({ ...identity, standing: [] });
    client.opened();
    const [frame] = greet(client, hello(1, { name }));
    expect(verifyRegistration(frame!, name, filled(32, 1))).toBe(true);
  });

  it.each(['b.example', 'a.example.evil.example', 'a.example:8790', 'http://a.example', 'x/a.example'])(
    'signs nothing for a server that was dialled as a.example and calls itself %s',
    (name) => {
      let signed = 0;
      const sign = (message: Uint8Array) => {
        signed++;
        return identity.sign(message);
      };
      client.register({ ...identity, sign, standing: [] });
      client.opened();
      const refusal = {
        type: 'error',
        code: 'ERR_SERVER_REFUSED',
        message: `the server calls itself ${name}, not a.example as it was dialled: start it with --name a.example`,
      };
      expect(client.receive(hello(1, { name }))).toMatchObject({ registering: { frames: [], refusal } });
      expect(client.register({ ...identity, sign, standing: [] })).toEqual({ frames: [], refusal });
      expect(signed).toBe(0);
      expect(client.offer(offer)).toHaveLength(1);
    },
  );

  it('tells its contact, and asks for another’s only while there is a connection', () => {
    const contact = { key: filled(32, 5), signature: filled(64, 6) };
    expect(client.lookup({ session: offer.session, key: offer.to })).toEqual([]);
    client.opened();
    client.receive(hello(1));
    expect(client.lookup({ session: offer.session, key: offer.to }).map(decodeClientFrame)).toEqual([
      { type: 'lookup', session: offer.session, key: offer.to },
    ]);
    expect(register({ ...identity, contact, standing: [] })).toMatchObject([{ contact, since: identity.since }]);
  });

  it('registers at once when the server is there, again whenever standing answers change', () => {
    client.opened();
    client.receive(hello(1));
    const signed: Uint8Array[] = [];
    const sign = (message: Uint8Array) => {
      signed.push(message);
      return identity.sign(message);
    };
    expect(register({ ...identity, sign, standing: [] })).toHaveLength(1);
    expect(register({ ...identity, sign, standing: [] })).toHaveLength(1);
    const proof = registrationProof('a.example', filled(32, 1));
    expect(signed).toEqual([proof, proof]);
  });

  it('sends no more standing answers than the server takes, and none that is too long', () => {
    client.opened();
    client.receive(hello(1, { standing: 2 }));
    const standing = [9_000, 10, 11, 12].map((length, i) => ({ ticketId: filled(16, i), envelope: filled(length, i) }));
    const [frame] = register({ ...identity, standing });
    expect(frame!.standing).toEqual(standing.slice(1, 3));
  });

  it('stays away once it was replaced', () => {
    client.register({ ...identity, standing: [] });
    client.opened();
    expect(greet(client, hello(1))).toHaveLength(1);
    client.receive(encodeFrame({ type: 'replaced' }));
    client.closed();
    client.opened();
    expect(greet(client, hello(2))).toEqual([]);
  });

  it('has nothing to send without a connection', () => {
    expect(client.send(offer.session, offer.envelope)).toBeUndefined();
    client.opened();
    expect(client.send(offer.session, offer.envelope)).toBeDefined();
    client.closed();
    expect(client.send(offer.session, offer.envelope)).toBeUndefined();
  });
});
