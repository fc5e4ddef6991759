import { createHash } from 'node:crypto';
import type { Outcome, Scenario } from '../../src/scenario/index.ts';
import { recordTrace } from '../../src/trace/index.ts';

export interface WholeTrace {
  readonly outcome: Outcome;
  /** Its records: packet headers, chart events and states, paths, logs; the last is a digest of all bytes that packets carried. */
  readonly lines: readonly string[];
}

/** Runs a scenario and gives all that happened in it, without the header: that names the version of Sallyport. */
export async function wholeTrace(scenario: Scenario): Promise<WholeTrace> {
  const payloads = createHash('sha256');
  const lines: string[] = [];
  const outcome = await recordTrace(scenario, (line) => lines.push(line), {
    watch(event) {
      if (event.type !== 'packet' || event.record.fate !== 'sent') return;
      const { packet } = event.record;
      if (packet.protocol !== 'icmp')
        payloads.update(packet.protocol === 'udp' ? packet.payload : packet.segment.payload);
    },
  });
  return { outcome, lines: [...lines.slice(1), `payloads ${payloads.digest('hex')}`] };
}

/** SHA-256 of all lines, in hex. */
export function digestOf({ lines }: WholeTrace): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** Where two traces part, for people; `undefined` when they are the same. */
export function firstDifference(first: WholeTrace, second: WholeTrace): string | undefined {
  const length = Math.max(first.lines.length, second.lines.length);
  for (let i = 0; i < length; i++) {
    const [expected, got] = [first.lines[i], second.lines[i]];
    if (expected !== got) return `line ${i + 1}: ${expected ?? 'nothing'}\n  then: ${got ?? 'nothing'}`;
  }
  return undefined;
}
