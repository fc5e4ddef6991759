import type { ViewerFrame } from '../../../src/inspector/wire.ts';

export type HubState = 'connecting' | 'connected' | 'lost';

/** Hears what the hub that served the page tells, and comes back to one that was gone. */
export function watchHub(
  { host, search }: Pick<Location, 'host' | 'search'>,
  on: { frame(frame: ViewerFrame): void; state(state: HubState): void },
): () => void {
  let socket: WebSocket;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    on.state('connecting');
    socket = new WebSocket(`ws://${host}/view${search}`);
    socket.onopen = () => on.state('connected');
    socket.onmessage = ({ data }) => on.frame(JSON.parse(String(data)) as ViewerFrame);
    socket.onclose = () => {
      on.state('lost');
      retry = setTimeout(open, RETRY);
    };
  };
  open();
  return () => {
    clearTimeout(retry);
    socket.onclose = null;
    socket.close();
  };
}

/** ms between attempts. */
const RETRY = 1_000;
