import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { PathInfo } from '../core/path.ts';
import {
  type ConnectionContext,
  connectionMachine,
  currentPath,
  leaseMachine,
  peerMachine,
} from '../machines/index.ts';
import { shortId } from './redact.ts';
import type { ChartName, StateText, TracedState } from './trace-format.ts';

/** The charts that traces are about, by the names that traces have for them. */
export const charts = { peer: peerMachine, connection: connectionMachine, lease: leaseMachine } as const;

/** `undefined`: it is no chart of this package, whatever was provided into it. */
export function chartName({ id, config }: AnyStateMachine): ChartName | undefined {
  if (!Object.hasOwn(charts, id)) return undefined;
  const name = id as ChartName;
  return charts[name].config === config ? name : undefined;
}

/** The name of a connection's actor, by the id of the connection. */
export function connectionName(id: string): string {
  return `connection ${shortId(id)}`;
}

export function stateOf({ value, status }: Pick<AnyMachineSnapshot, 'value' | 'status'>): TracedState {
  return { state: value as StateText, status: status === 'active' ? undefined : status };
}

/** The path that a connection sends on; of other charts none. */
export function currentPathOf(
  chart: ChartName,
  { context }: Pick<AnyMachineSnapshot, 'context'>,
): PathInfo | undefined {
  return chart === 'connection' ? currentPath(context as ConnectionContext)?.info : undefined;
}
