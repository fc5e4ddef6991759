import type { Entry, Moment } from '../model/moment.ts';
import { momentText } from './moment-text.ts';
import type { Store } from './store.ts';

/** Records as text, the latest first. A click goes to its moment. */
export function LogView({ store, moment }: { store: Store; moment: Moment }) {
  const { entries, forgotten } = store.recording;
  const found: Entry[] = [];
  for (let i = moment.index - forgotten; i >= 0 && found.length < MOST; i--) {
    if (matches(entries[i]!, store.search)) found.push(entries[i]!);
  }
  return (
    <section class="panel scrolls" aria-label="log">
      <table class="log">
        <tbody>
          {found.map((entry) => (
            <tr key={entry.index} class={entry.record.what}>
              <td>
                <button type="button" onClick={() => store.change(() => store.playhead.seek(entry.index))}>
                  {momentText(entry.at)}
                </button>
              </td>
              <td>{whoOf(entry)}</td>
              <td>{entry.record.what}</td>
              <td>
                <code>{textOf(entry)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function matches(entry: Entry, search: string): boolean {
  if (entry.record.what === 'machine') return false;
  return search === '' || `${whoOf(entry)} ${entry.record.what} ${textOf(entry)}`.includes(search);
}

function whoOf({ record, source }: Entry): string {
  if ('who' in record) return record.who;
  return 'place' in record ? record.place : source.title;
}

function textOf({ record }: Entry): string {
  const { t, what, who, context, ...rest } = record as typeof record & { who?: string; context?: unknown };
  return JSON.stringify(rest).slice(1, -1);
}

const MOST = 300;
