/** Tells from its Epoch Time whether a server may have lost its mappings (RFC 6887 section 8.5). */
export interface PcpEpoch {
  /** True when `seconds`, heard at `now` ms, cannot follow what was heard before. The first is always valid. */
  observe(seconds: number, now: number): boolean;
}

export function pcpEpoch(): PcpEpoch {
  let previous: { readonly server: number; readonly client: number } | undefined;
  return {
    observe(seconds, now) {
      const current = { server: seconds, client: Math.floor(now / 1000) };
      const invalid = previous !== undefined && !follows(previous, current);
      previous = current;
      return invalid;
    },
  };
}

interface Times {
  /** Seconds by the server's clock, and by ours. */
  readonly server: number;
  readonly client: number;
}

/** May run 1 s backwards, by reordered packets. Clocks may differ by 1/16, and by 2 s since each counts whole ones. */
function follows(previous: Times, current: Times): boolean {
  const server = current.server - previous.server;
  const client = current.client - previous.client;
  if (server < -1) return false;
  return client + 2 >= server - sixteenth(server) && server + 2 >= client - sixteenth(client);
}

/** In integer arithmetic, as the RFC wants it. */
function sixteenth(seconds: number): number {
  return Math.trunc(seconds / 16);
}
