/** Draws the shipped machines: `npm run pictures` writes them to docs/machines. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { default as Elk } from 'elkjs/lib/elk.bundled.js';
import { defaultFlow } from '../src/index.ts';
import { connectionMachine, leaseMachine, peerMachine } from '../src/machines/index.ts';
import { defineChart } from '../src/trace/define-chart.ts';
import { layoutChart } from '../web/src/chart/layout.ts';
import { chartSvg } from '../web/src/chart/svg.ts';

const MACHINES = [
  {
    name: 'connection',
    machine: connectionMachine,
    about: 'one connection to a remote peer, from the offer to its verdict',
  },
  { name: 'peer', machine: peerMachine, about: 'a peer: looks at the network, port mappings, rendezvous servers' },
  { name: 'lease', machine: leaseMachine, about: 'a port mapping that is kept' },
  { name: 'discover', machine: defaultFlow.discover, about: 'how a peer of the default flow looks for its addresses' },
  {
    name: 'map',
    machine: defaultFlow.map,
    about: 'the protocols by which the default flow asks a gateway for a port mapping',
  },
  { name: 'punch', machine: defaultFlow.punch, about: 'the strategies of the default flow that make a direct path' },
  { name: 'fallback', machine: defaultFlow.fallback, about: 'those that make a relayed one' },
].flatMap(({ machine, ...one }) => (machine === undefined ? [] : [{ ...one, machine }]));

/** By the name of the file. */
export async function chartPictures(): Promise<ReadonlyMap<string, string>> {
  const elk = new Elk.default();
  const pictures = new Map<string, string>();
  for (const { name, machine, about } of MACHINES) {
    const layout = await layoutChart(defineChart(machine), elk);
    pictures.set(`${name}.svg`, chartSvg(layout, `The machine ${machine.id}: ${about}`));
  }
  pictures.set('README.md', readme());
  return pictures;
}

function readme(): string {
  const entries = MACHINES.map(
    ({ name, about }) => `## ${name}\n\n${about[0]!.toUpperCase()}${about.slice(1)}.\n\n![${name}](${name}.svg)\n`,
  );
  return `# The machines\n\nDrawn from the code by \`npm run pictures\`; a test compares them with it.\n\n${entries.join('\n')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = resolve(import.meta.dirname, '../docs/machines');
  await mkdir(folder, { recursive: true });
  for (const [name, text] of await chartPictures()) await writeFile(join(folder, name), text);
}
