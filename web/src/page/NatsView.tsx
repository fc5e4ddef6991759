import type { Moment } from '../model/moment.ts';

/** The tables of the simulated NATs. */
export function NatsView({ moment }: { moment: Moment }) {
  const nats = [...moment.nats.values()];
  if (nats.length === 0) {
    return <p class="empty">No simulated NAT: what a real one keeps cannot be seen from here, only what it does.</p>;
  }
  return (
    <div class="side-by-side">
      {nats.map(({ place, rules, mappings }) => (
        <section key={place} class="panel scrolls" aria-label={`NAT ${place}`}>
          <header>
            <h2>
              <b>{place}</b>
            </h2>
            {rules && (
              <span class="chip">
                mapping {rules.mapping}, filtering {rules.filtering}
              </span>
            )}
          </header>
          <table>
            <thead>
              <tr>
                <th>protocol</th>
                <th>internal</th>
                <th>external</th>
                <th>flows to</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {mappings.map(({ protocol, internal, external, remotes, explicit }) => (
                <tr key={`${protocol} ${internal} ${external}`}>
                  <td>{protocol}</td>
                  <td>{internal}</td>
                  <td>{external}</td>
                  <td>{remotes.join(', ')}</td>
                  <td>{explicit && 'asked for'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </div>
  );
}
