import { describe, expect, it, vi } from 'vitest';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { Deferred } from '../../src/core/deferred.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import { createAdmission } from '../../src/peer/admission.ts';
import { createDoorkeeper } from '../../src/peer/doorkeeper.ts';
import type { OpenedOffer } from '../../src/peer/offer-opener.ts';
import { createTicketBook, type IssuedTicket } from '../../src/peer/ticket-book.ts';
import { createEnvelopeChannel } from '../../src/protocol/rendezvous/index.ts';
import { manualClock } from '../manual-clock.ts';
import { inertSignaling } from './inert-signaling.ts';

const random = cryptoRandom();
const listenerKey = random.bytes(32);

const carrier = inertSignaling();

interface DoorOptions {
  /** By the dialer's key. */
  readonly accept?: (key: Uint8Array) => boolean | Promise<boolean>;
  readonly letIn?: () => Promise<void>;
}

function door({ accept = () => true, letIn = async () => {} }: DoorOptions) {
  const clock = manualClock();
  /** What the log says, with the error's code where there is one. */
  const logged: string[] = [];
  const log = (event: string, details: Readonly<Record<string, unknown>> = {}): void =>
    void logged.push([event, details.code].filter((word) => word !== undefined).join(' '));
  const tickets = createTicketBook(listenerKey, { clock, random });
  let next: OpenedOffer | undefined;
  const keeper = createDoorkeeper({
    env: { clock, log },
    key: listenerKey,
    policy: 'relay-first',
    admission: createAdmission(({ key }) => accept(key), log),
    tickets,
    opener: { open: () => next },
    patience: 30_000,
    letIn,
  });
  return {
    logged,
    tickets,
    knock(dialerKey: Uint8Array, ticket?: IssuedTicket) {
      const session = random.bytes(16);
      const secret = random.bytes(32);
      const channel = createEnvelopeChannel({ secret, session, listenerKey, role: 'listener', random });
      const told = { policy: 'relay-first', candidates: [], behavior: unknownBehavior, flight: [], end: true } as const;
      next = {
        carrier,
        session,
        ticket,
        acquaintance: { secret, id: random.bytes(16), preface: new Uint8Array(0), channel },
        message: { type: 'offer', dialerKey, listenerKey, issuedAt: clock.wallTime(), ...told },
        hash: random.bytes(32),
      };
      keeper.receive(carrier, { type: 'offer', session, ticketId: random.bytes(16), envelope: new Uint8Array(1) });
    },
  };
}

const keys = (count: number): readonly Uint8Array[] => Array.from({ length: count }, () => random.bytes(32));
const undecided = (): Promise<boolean> => new Promise(() => {});

describe('those who come by the key', () => {
  it('take no place of those who are let in while they are decided on', async () => {
    const friend = random.bytes(32);
    const letIn = vi.fn(async () => {});
    const { knock, logged } = door({ letIn, accept: (key) => key === friend || undecided() });
    for (const key of keys(4)) for (let i = 0; i < 8; i++) knock(key);
    knock(friend);
    await vi.waitFor(() => expect(letIn).toHaveBeenCalledOnce());
    expect(logged).toEqual([]);
  });

  it('are decided on 256 at once at most', () => {
    const { knock, logged } = door({ accept: undecided });
    for (const key of keys(256)) knock(key);
    expect(logged).toEqual([]);
    knock(random.bytes(32));
    expect(logged).toEqual(['offer.rejected ERR_BUSY']);
  });

  it('are let in 32 at once at most, and the next when one of them is through', async () => {
    const through = new Deferred();
    const letIn = vi.fn(() => (letIn.mock.calls.length === 1 ? through.promise : new Promise<void>(() => {})));
    const { knock, logged } = door({ letIn });
    for (const key of keys(33)) knock(key);
    await vi.waitFor(() => expect(logged).toEqual(['offer.rejected ERR_BUSY']));
    expect(letIn).toHaveBeenCalledTimes(32);
    through.resolve();
    await through.promise;
    for (const key of keys(2)) knock(key);
    await vi.waitFor(() => expect(logged).toEqual(['offer.rejected ERR_BUSY', 'offer.rejected ERR_BUSY']));
    expect(letIn).toHaveBeenCalledTimes(33);
  });
});

describe('a connection that cannot be begun', () => {
  it('is told to the log, and keeps neither a place nor the turn of a ticket for one', async () => {
    let calls = 0;
    const second = new Deferred();
    const { knock, logged, tickets } = door({
      letIn() {
        if (++calls === 1) throw new Error('no session could be made');
        second.resolve();
        return Promise.resolve();
      },
    });
    const ticket = tickets.issue({ servers: ['ws://a'], stun: [] }, { once: true });
    knock(random.bytes(32), ticket);
    knock(random.bytes(32), ticket);
    await second.promise;
    expect(logged).toEqual(['incoming.failed']);
  });

  it('leaves its place to the next', async () => {
    const letIn = vi.fn(() => Promise.reject(new Error('no session could be made')));
    const { knock, logged } = door({ letIn });
    for (let round = 1; round <= 3; round++) {
      for (const key of keys(32)) knock(key);
      await vi.waitFor(() => expect(logged).toHaveLength(32 * round));
    }
    expect(new Set(logged)).toEqual(new Set(['incoming.failed']));
  });
});
