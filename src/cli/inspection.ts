import type { PeerObserver } from '../index.ts';
import type { Reporter } from './reporter.ts';

/** Lets an inspector watch the peers of a command. */
export interface Inspection {
  peer(who: string): PeerObserver;
  /** Tells what there is to tell, and ends the hub if it is the command's own. */
  close(): Promise<void>;
}

/** `where`: a hub's URL for programs; `true`: a hub of the command's own, whose page is told on stderr. Errors: `ERR_USAGE`, `ERR_NETWORK`. */
export async function openInspection(
  where: string | true,
  name: string,
  reporter: Pick<Reporter, 'say'>,
): Promise<Inspection> {
  // Who is not watched loads nothing of it.
  const { observe, startHub } = await import('../inspector/index.ts');
  const hub = where === true ? await startHub() : undefined;
  if (hub !== undefined) reporter.say(`inspector  ${hub.url}`);
  const inspector = observe({ url: hub?.programUrl ?? String(where), name });
  return {
    peer: (who) => inspector.peer(who),
    async close() {
      await inspector.close();
      await hub?.close();
    },
  };
}
