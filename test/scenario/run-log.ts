import { type Outcome, type RunEvent, runScenario, type Scenario } from '../../src/scenario/index.ts';
import { formatPacketRecord, type PacketRecord } from '../../src/sim/index.ts';

/** Runs a scenario and gives all that happened in it, a line each, with every byte that was sent. */
export async function runLogged(scenario: Scenario): Promise<{ outcome: Outcome; lines: readonly string[] }> {
  const lines: string[] = [];
  const outcome = await runScenario(scenario, { watch: (event) => lines.push(lineOf(event)) });
  return { outcome, lines };
}

function lineOf(event: RunEvent): string {
  if (event.type === 'packet') return `${formatPacketRecord(event.record)} ${payloadOf(event.record)}`;
  if (event.type !== 'machine') return JSON.stringify(event);
  const { at, who, inspection } = event;
  const { type, actorRef } = inspection;
  // Ids of sessions are counted by XState for the whole process.
  const what =
    type === '@xstate.event' ? inspection.event.type : type === '@xstate.action' ? inspection.action.type : '';
  return `${at} ${who} ${type} ${'id' in actorRef ? actorRef.id : ''} ${what}`;
}

function payloadOf({ fate, packet }: PacketRecord): string {
  if (fate !== 'sent' || packet.protocol === 'icmp') return '';
  return Buffer.from(packet.protocol === 'udp' ? packet.payload : packet.segment.payload).toString('base64');
}
