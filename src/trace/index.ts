/** Traces: what happened to peers, simulated or real, as JSON lines; and their replay. Described in docs/traces.md. */
export type { PeerRecorder } from './peer-recorder.ts';
export { type RealTrace, recordPeers } from './record-peers.ts';
export { type RecordOptions, recordTrace } from './record-scenario.ts';
export { redact } from './redact.ts';
export type { Difference, ReplayResult } from './replay-result.ts';
export { type Replay, type ReplayOptions, replayTrace } from './replay-trace.ts';
export * from './trace-format.ts';
export type { PacketHeader, TracePacket } from './trace-packet.ts';
export { readTrace, type TracedLine, type TraceReader } from './trace-reader.ts';
export type { TraceSink } from './trace-writer.ts';
