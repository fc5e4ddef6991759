import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { default as Elk } from 'elkjs/lib/elk.bundled.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { chartPictures } from '../../../scripts/chart-pictures.ts';
import { connectionMachine } from '../../../src/machines/index.ts';
import type { ChartDefinition, ChartState } from '../../../src/trace/chart-definition.ts';
import { defineChart } from '../../../src/trace/define-chart.ts';
import { type Layout, layoutChart, type Rectangle } from '../../../web/src/chart/layout.ts';
import { chartMermaid } from '../../../web/src/chart/mermaid.ts';
import { chartSvg } from '../../../web/src/chart/svg.ts';
import { eventText, wrap } from '../../../web/src/chart/words.ts';

const folder = resolve(import.meta.dirname, '../../../docs/machines');

it('the pictures in docs/machines are those of the code', async () => {
  const pictures = await chartPictures();
  expect((await readdir(folder)).sort()).toEqual([...pictures.keys()].sort());
  for (const [name, text] of pictures) expect(await readFile(resolve(folder, name), 'utf8'), name).toBe(text);
});

describe('a layout', () => {
  const definition = defineChart(connectionMachine);
  let layout: Layout;

  beforeAll(async () => {
    layout = await layoutChart(definition, new Elk.default());
  });

  const at = (id: string): Rectangle => layout.states.find(({ state }) => state.id === id)!.at;

  it('has inner states within outer ones, and below their text', () => {
    for (const { state, head } of layout.states) {
      const outer = at(state.id);
      for (const child of state.states) {
        const inner = at(child.id);
        expect(inner.x).toBeGreaterThan(outer.x);
        expect(inner.y).toBeGreaterThanOrEqual(outer.y + head);
        expect(inner.x + inner.width).toBeLessThan(outer.x + outer.width);
        expect(inner.y + inner.height).toBeLessThan(outer.y + outer.height);
      }
    }
  });

  it('has no state upon another', () => {
    for (const { state } of layout.states) {
      for (const [i, one] of state.states.entries()) {
        for (const other of state.states.slice(i + 1)) expect(overlap(at(one.id), at(other.id))).toBe(false);
      }
    }
  });

  it('has every edge of the definition, as a line or in its state, and labels within the picture', () => {
    const drawn = new Set<string>();
    for (const { edges, route, label } of layout.edges) {
      for (const { id } of edges) drawn.add(id);
      expect(route.length).toBeGreaterThan(1);
      expect(label.x).toBeGreaterThanOrEqual(0);
      expect(label.x + label.width).toBeLessThanOrEqual(layout.width);
    }
    for (const { lines } of layout.states) for (const { edge } of lines) if (edge !== undefined) drawn.add(edge);
    const all = everyState(definition.root).flatMap(({ id, edges }) => edges.map((_, index) => `${id}#${index}`));
    expect([...drawn].sort()).toEqual(all.sort());
  });

  it('of a hundred states is made, too', async () => {
    const { states, width } = await layoutChart(hundred(), new Elk.default());
    expect(states).toHaveLength(111);
    expect(width).toBeGreaterThan(0);
  });

  it('becomes a picture of well-formed XML, whatever names are in it', () => {
    const svg = chartSvg(layout, 'a <b> & "c"');
    expect(svg).toContain('a &lt;b&gt; &amp; &quot;c&quot;');
    expect(svg).not.toMatch(/NaN|undefined|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    const open: string[] = [];
    for (const [, close, name, , self] of svg.matchAll(/<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<]*")*)\s*(\/?)>/gi)) {
      if (close) expect(open.pop()).toBe(name);
      else if (!self) open.push(name!);
    }
    expect(open).toEqual([]);
  });
});

describe('mermaid', () => {
  it('has states within states, regions, and edges', () => {
    const lines = chartMermaid(defineChart(connectionMachine))
      .split('\n')
      .map((line) => line.trim());
    expect(lines[0]).toBe('stateDiagram-v2');
    for (const line of [
      '[*] --> idle',
      'state connected {',
      '--',
      'state "relayed" as connected_path_relayed',
      'connected_path_relayed --> connected_path_direct : always [onDirect]',
      'closed --> [*]',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.filter((line) => line.endsWith('{'))).toHaveLength(lines.filter((line) => line === '}').length);
  });
});

describe('words', () => {
  const edge = (event: string, delay?: string) => ({ event, targets: [], ...(delay !== undefined && { delay }) });

  it.each([
    ['always', edge('')],
    ['after 500 ms', edge('after', '500 ms')],
    ['done punch', edge('xstate.done.actor.punch')],
    ['error watch', edge('xstate.error.actor.0.connection.connected')],
    ['path.lost', edge('path.lost')],
  ])('%s', (text, one) => expect(eventText({ invoke: ['watch'] }, one)).toBe(text));

  it('are broken into lines, of which the last of very many is cut', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('a b c d', 1, 2)).toEqual(['a', '…']);
  });
});

function everyState(state: ChartState): readonly ChartState[] {
  return [state, ...state.states.flatMap(everyState)];
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Ten groups of ten states in a ring. */
function hundred(): ChartDefinition {
  const states = Array.from({ length: 10 }, (_, i): ChartState => {
    const id = `group${i}`;
    const inner = Array.from({ length: 10 }, (_, j): ChartState => {
      const target = `${id}.state${(j + 1) % 10}`;
      return {
        id: `${id}.state${j}`,
        key: `state${j}`,
        type: 'atomic',
        edges: [{ event: 'next', targets: [target] }],
        states: [],
      };
    });
    const edges = [{ event: 'group.next', guard: 'isReady', targets: [`group${(i + 1) % 10}`] }];
    return { id, key: id, type: 'compound', initial: `${id}.state0`, edges, states: inner };
  });
  return { id: 'hundred', root: { id: '', key: 'hundred', type: 'compound', initial: 'group0', edges: [], states } };
}
