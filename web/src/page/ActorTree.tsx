import type { ActorState, Moment, PeerState } from '../model/moment.ts';
import { stateLine } from './active-states.ts';
import type { Store } from './store.ts';

/** All actors of all peers, each below its parent, with the state that it is in. */
export function ActorTree({ store, moment }: { store: Store; moment: Moment }) {
  const shown = new Map(store.shownPeers(moment).map((peer) => [peer.key, store.shownActor(peer)]));
  return (
    <nav class="tree" aria-label="actors">
      {[...moment.peers.values()].map((peer) => (
        <section key={peer.key}>
          <h3>
            <button
              type="button"
              class={`peer${peer.source.live ? ' live' : ''}`}
              aria-pressed={shown.has(peer.key)}
              title={`${peer.source.title}: show or hide`}
              onClick={() => store.togglePeer(peer)}
            >
              {peer.who} <small>{peer.source.title}</small>
            </button>
          </h3>
          <ul>
            {rowsOf(peer, store.search).map(({ actor, depth }) => (
              <li key={actor.name}>
                <button
                  type="button"
                  class={`actor ${actor.status}`}
                  style={{ paddingLeft: `${8 + depth * 14}px` }}
                  aria-current={shown.get(peer.key) === actor.name}
                  onClick={() => store.showActor(peer, actor.name)}
                >
                  <span>{depth === 0 ? actor.name : actor.name.slice(actor.name.lastIndexOf('/') + 1)}</span>
                  <span class="chip">{stateLine(actor.state) || actor.status}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

interface Row {
  readonly actor: ActorState;
  readonly depth: number;
}

/** Of very many, the first {@link MOST}; a search finds the others. */
function rowsOf({ actors }: PeerState, search: string): readonly Row[] {
  const children = new Map<string | undefined, ActorState[]>();
  for (const actor of actors.values()) {
    const parent = actor.parent !== undefined && actors.has(actor.parent) ? actor.parent : undefined;
    const siblings = children.get(parent) ?? [];
    children.set(parent, siblings);
    siblings.push(actor);
  }
  const rows: Row[] = [];
  const enter = (parent: string | undefined, depth: number): void => {
    for (const actor of children.get(parent) ?? []) {
      if (`${actor.name} ${stateLine(actor.state)}`.includes(search)) rows.push({ actor, depth });
      enter(actor.name, depth + 1);
    }
  };
  enter(undefined, 0);
  return rows.slice(0, MOST);
}

const MOST = 300;
