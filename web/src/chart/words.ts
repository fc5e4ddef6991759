import type { ChartEdge, ChartState } from '../../../src/trace/chart-definition.ts';

/** What the event of a state's edge is called in a picture: XState's own ones by what they mean. */
export function eventText({ invoke = [] }: Pick<ChartState, 'invoke'>, { event, delay }: ChartEdge): string {
  if (event === '') return 'always';
  if (event === 'after') return `after ${delay}`;
  const [, what, whose = ''] = /^xstate\.(done|error|snapshot)\.(?:actor|state)\.(.*)$/.exec(event) ?? [];
  if (what === undefined) return event;
  // An actor that was given no id has its number in the state before that of the state.
  const number = /^(\d+)\./.exec(whose)?.[1];
  // What a flow composes is named by all that it is within; the place says that.
  return `${what} ${(number === undefined ? undefined : invoke[Number(number)]) ?? whose.slice(whose.lastIndexOf('.') + 1)}`;
}

/** An edge in one line: `path.suspect [isCurrent] / usePath`. */
export function edgeText(state: Pick<ChartState, 'invoke'>, edge: ChartEdge): string {
  const guard = edge.guard === undefined ? '' : ` [${edge.guard}]`;
  const actions = edge.actions === undefined ? '' : ` / ${edge.actions.join(', ')}`;
  return `${eventText(state, edge)}${guard}${actions}`;
}

/** Text that is longer than so many characters ends in an ellipsis. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
}

/** Lines of at most so many characters, broken between words; the last of very many ends in an ellipsis. */
export function wrap(text: string, length: number, most = 3): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= length) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  const shown = lines.slice(0, most).map((one) => cut(one, length));
  return lines.length > most ? [...shown.slice(0, -1), cut(`${shown.at(-1)} …`, length)] : shown;
}
