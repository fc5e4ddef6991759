import type { ConnectionState, PeerState } from '../model/moment.ts';
import { momentText } from './moment-text.ts';

/** How a peer may be reached, which pairs were checked, and which ways its connections took. */
export function NetworkView({ peer }: { peer: PeerState }) {
  const { behavior, candidates, connections } = peer;
  return (
    <section class="panel scrolls" aria-label={`network of ${peer.who}`}>
      <header>
        <h2>
          <b>{peer.who}</b>
        </h2>
      </header>
      {behavior !== undefined && (
        <>
          <h3>NAT in front of it</h3>
          <p>
            mapping {behavior.mapping}, filtering {behavior.filtering}
          </p>
          <ul class="evidence">
            {behavior.evidence.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </>
      )}
      <h3>Candidates</h3>
      <table>
        <thead>
          <tr>
            <th>type</th>
            <th>transport</th>
            <th>address</th>
            <th>base</th>
            <th>priority</th>
          </tr>
        </thead>
        <tbody>
          {candidates.map(({ type, transport, address, base, priority }) => (
            <tr key={`${transport} ${address}`}>
              <td>{type}</td>
              <td>{transport}</td>
              <td>{address}</td>
              <td>{base}</td>
              <td>{priority}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {[...connections.values()].map((connection) => (
        <Connection key={connection.actor} {...connection} />
      ))}
    </section>
  );
}

function Connection({ actor, pairs, paths, stats }: ConnectionState) {
  const last = stats.at(-1);
  return (
    <>
      <h3>{actor}: paths</h3>
      <table>
        <thead>
          <tr>
            <th>from, s</th>
            <th>kind</th>
            <th>by</th>
            <th>local</th>
            <th>remote</th>
            <th>rtt, ms</th>
          </tr>
        </thead>
        <tbody>
          {paths.map(({ at, path }) => (
            <tr key={at} class={path?.kind ?? 'none'}>
              <td>{momentText(at)}</td>
              <td>{path === null ? 'none' : `${path.kind}, ${path.transport}`}</td>
              <td>{path?.strategy}</td>
              <td>{path?.local}</td>
              <td>{path?.remote}</td>
              <td>{path?.rtt?.toFixed(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {last !== undefined && (
        <p>
          session:{' '}
          {Object.entries(last.stats)
            .map(([name, value]) => `${name} ${value}`)
            .join(', ')}
        </p>
      )}
      <h3>{actor}: candidate pairs</h3>
      <table>
        <thead>
          <tr>
            <th>state</th>
            <th>local</th>
            <th>remote</th>
            <th>rtt, ms</th>
            <th>checks: sent, answered, seen</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {pairs.map((pair) => (
            <tr key={pair.id} class={pair.state}>
              <td>{pair.state}</td>
              <td>{pair.local}</td>
              <td>{pair.remote}</td>
              <td>{pair.rtt?.toFixed(1)}</td>
              <td>
                {pair.requestsSent}, {pair.responsesReceived}, {pair.requestsReceived}
              </td>
              <td>
                {pair.nominated && 'nominated'} {pair.failure}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
