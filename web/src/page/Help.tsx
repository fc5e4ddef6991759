const KEYS = [
  ['1 … 6', 'charts, sequence, network, NATs, verdict, log'],
  ['/', 'search for actors, states, packets, log lines'],
  ['Space', 'pause and play'],
  ['← →', 'one record back or forward'],
  ['Home, End', 'the first record; the newest, live'],
  ['Tab, Enter', 'from state to state of a chart; what the state says'],
  ['?', 'this help'],
] as const;

export function Help({ onClose }: { onClose(): void }) {
  return (
    <dialog class="help" open aria-label="help">
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([key, what]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
      <p>Wheel and drag move a chart. Traces can be dropped anywhere. All that is seen stays on this machine.</p>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}
