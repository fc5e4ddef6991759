import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CELLS, SERVER_DELAY } from './agreement/cell.ts';
import { differences } from './agreement/compare.ts';
import { runInKernel } from './agreement/kernel-run.ts';
import { type Comparison, report } from './agreement/report.ts';
import { runSimulated } from './agreement/simulated-run.ts';
import { type Rendezvous, serve } from './commands.ts';
import { createLab, type Lab } from './net/lab.ts';
import { describeInLab } from './net/requirements.ts';

describeInLab('the kernel and the simulated internet agree on how a pair of sites connects', () => {
  let lab: Lab;
  let rendezvous: Rendezvous;
  let folder: string;
  const comparisons: Comparison[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-lab-'));
    lab = await createLab();
    rendezvous = await serve(await lab.publicHost('server', { addresses: 2, delay: SERVER_DELAY }), { port: 443 });
  });
  afterAll(async () => {
    await lab.close();
    await rm(folder, { recursive: true });
    if (comparisons.length > 0) console.log(report(comparisons));
  });

  it.each(CELLS)('$name', async (cell) => {
    const label = `site${CELLS.indexOf(cell) + 1}`;
    const kernel = await runInKernel(lab, cell, { server: rendezvous.url, label, folder });
    const simulated = await runSimulated(cell);
    comparisons.push({ cell, simulated, kernel });
    expect(differences(cell, simulated, kernel), JSON.stringify({ simulated, kernel })).toEqual([]);
  });
});
