import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { createServerSources, type ServerLimits } from '../protocol/rendezvous/index.ts';
import { createDoor } from './door.ts';
import { type HttpListener, openHttpListener } from './http-listener.ts';

export interface MetricsListenerOptions {
  /** Numeric. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly log: Log;
  readonly metrics: () => string;
}

/** `/metrics` on a port of its own, for whoever can reach it. Errors: those of {@link openHttpListener}. */
export function openMetricsListener({ metrics, ...options }: MetricsListenerOptions): Promise<HttpListener> {
  const { limits } = options;
  const door = createDoor({ ...options, sources: createServerSources(limits), trustProxy: false });
  return openHttpListener({
    ...options,
    door,
    connections: limits.halfOpenPerSource,
    onRequest({ head, answer }) {
      if (head.method === 'GET' && head.target === '/metrics') answer(200, metrics());
      else answer(404, 'only /metrics is here');
    },
  });
}
