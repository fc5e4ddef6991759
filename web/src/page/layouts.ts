import ELK from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import { useEffect, useState } from 'preact/hooks';
import type { ChartDefinition } from '../../../src/trace/chart-definition.ts';
import { type Layout, layoutChart } from '../chart/layout.ts';

const engine = new ELK({ workerUrl });
const layouts = new Map<string, Promise<Layout>>();

/** Machines that are drawn alike are laid out once, in a worker. */
function layoutOf(definition: ChartDefinition): Promise<Layout> {
  const key = JSON.stringify(definition);
  const known = layouts.get(key) ?? layoutChart(definition, engine, ASPECT);
  layouts.set(key, known);
  return known;
}

/** `undefined` until it is there. */
export function useLayout(definition: ChartDefinition | undefined): Layout | undefined {
  const [found, setFound] = useState<{ definition: ChartDefinition; layout: Layout }>();
  useEffect(() => {
    if (definition === undefined) return;
    let isWanted = true;
    layoutOf(definition).then((layout) => isWanted && setFound({ definition, layout }));
    return () => {
      isWanted = false;
    };
  }, [definition]);
  return found?.definition === definition ? found?.layout : undefined;
}

/** Of a panel beside another one. */
const ASPECT = 0.8;
