import type { Registration } from '../../../src/core/signaling.ts';
import { createRendezvousClient, encodeRelayFrame } from '../../../src/protocol/rendezvous/index.ts';
import { decodeClientFrame, encodeFrame } from '../../../src/protocol/rendezvous/wire.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { seededChance } from '../engine/chance.ts';
import { mutateJson } from '../engine/mutate-json.ts';
import { attempt, must, type Target } from '../engine/target.ts';
import { SESSION, serverFrames, TICKET_ID } from './frames.ts';

const registration: Registration = {
  key: filled(32, 1),
  sign: () => filled(64, 2),
  since: 1,
  standing: [{ ticketId: TICKET_ID, envelope: filled(40, 3) }],
};

/** What a server says to a client that has registered and offered, as text, then as a datagram, then after a lost connection. */
export const rendezvousClient: Target = {
  name: 'rendezvous-client',
  share: 0.5,
  seeds: serverFrames.map((frame) => Buffer.from(encodeFrame(frame))),
  mutate: mutateJson,
  run(input) {
    const client = createRendezvousClient({ random: seededChance(1), server: 'meet.example.org:8790' });
    client.register(registration);
    client.offer({ session: SESSION, to: filled(32, 4), ticketId: TICKET_ID, envelope: filled(40, 5) });
    const said = [...client.opened()];
    const text = Buffer.from(input).toString('utf8');
    const received = attempt(() => client.receive(text), ['ERR_DECODE', 'ERR_VERSION']);
    if ('value' in received && received.value.type === 'hello') said.push(...received.value.registering.frames);
    const datagram = attempt(() => client.receive(encodeRelayFrame(SESSION, input)));
    must('value' in datagram && (datagram.value.type === 'datagram') === input.length > 0, 'a datagram is handed on');
    client.receive(input);
    client.closed();
    said.push(...client.opened(), ...client.leave(SESSION));
    must(said.length <= 3, 'a client says no more than it was asked for', () => said);
    for (const frame of said) decodeClientFrame(frame);
    if ('outcome' in received) return received.outcome;
    return received.value.type === 'event' ? received.value.event.type : received.value.type;
  },
};
