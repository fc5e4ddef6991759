import type { Verdict } from '../../../src/core/verdict.ts';
import type { PeerState } from '../model/moment.ts';

/** What was tried, what was seen, and why each connection ended as it did. */
export function VerdictView({ peer }: { peer: PeerState }) {
  const connections = [...peer.connections.values()];
  return (
    <section class="panel scrolls" aria-label={`verdicts of ${peer.who}`}>
      <header>
        <h2>
          <b>{peer.who}</b>
        </h2>
      </header>
      {connections.length === 0 && <p class="empty">No connection up to this moment.</p>}
      {connections.map(({ actor, verdict, paths }) => (
        <article key={actor}>
          <h3>{actor}</h3>
          {verdict === undefined ? (
            <p>
              Not ended at this moment;{' '}
              {paths.at(-1)?.path ? `sends on a ${paths.at(-1)!.path!.kind} path.` : 'has no path yet.'}
            </p>
          ) : (
            <Ended {...(verdict as Verdict)} />
          )}
        </article>
      ))}
    </section>
  );
}

function Ended({ outcome, code, summary, attempts, behaviors, advice }: Verdict) {
  const end = Math.max(1, ...attempts.map(({ endedAt }) => endedAt));
  const start = Math.min(0, ...attempts.map(({ startedAt }) => startedAt));
  const share = (ms: number): string => `${((ms - start) / (end - start)) * 100}%`;
  return (
    <>
      <p class={`outcome ${outcome}`}>
        <b>{outcome}</b> {code !== undefined && <code>{code}</code>} {summary}
      </p>
      {advice.length > 0 && (
        <>
          <h4>What to do</h4>
          <ul>
            {advice.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </>
      )}
      <h4>What was tried</h4>
      <table class="attempts">
        <tbody>
          {attempts.map(({ strategy, ok, reason, startedAt, endedAt, sent, received }) => (
            <tr key={`${strategy} ${startedAt}`} class={ok ? 'succeeded' : 'failed'}>
              <td>{ok ? '✓' : '✗'}</td>
              <td>{strategy}</td>
              <td class="span">
                <i style={{ left: share(startedAt), right: `calc(100% - ${share(endedAt)})` }} />
              </td>
              <td>
                {Math.round(startedAt)} … {Math.round(endedAt)} ms
              </td>
              <td>{sent !== undefined && `${sent} sent, ${received ?? 0} received`}</td>
              <td>{reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h4>What was seen</h4>
      {(['mine', 'theirs'] as const).map((side) => (
        <div key={side}>
          <p>
            {side === 'mine' ? 'Here' : 'There'}: mapping {behaviors[side].mapping}, filtering{' '}
            {behaviors[side].filtering}
          </p>
          <ul class="evidence">
            {behaviors[side].evidence.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}
