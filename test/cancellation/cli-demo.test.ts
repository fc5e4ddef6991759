import { describe, expect, it } from 'vitest';
import { type RunningCommand, sallyport } from '../cli/sallyport.ts';
import { childrenOf, isRunning } from './processes.ts';

/** What the demo prints on its way, and how many peers it has started by then. */
type Stage = readonly [string, RegExp, number];

const stages: readonly Stage[] = [
  ['the server runs', /rendezvous .*relay/, 0],
  ['the listener has a ticket', /listener .*ticket/, 1],
  ['the peers are connected', /dialer .*session established/, 2],
  ['data flows', /MiB through the connection/, 2],
];

async function expectNoneLeft(children: readonly number[]): Promise<void> {
  await expect.poll(() => children.filter(isRunning)).toEqual([]);
}

/** Runs the demo up to a stage; gives the processes that it has started. */
async function reach(demo: RunningCommand, [_, line, peers]: Stage): Promise<readonly number[]> {
  await demo.line(line);
  const children = childrenOf(demo.pid);
  expect(children.length).toBeGreaterThanOrEqual(peers);
  return children;
}

describe.skipIf(process.platform !== 'linux')('the demo', () => {
  it.each(stages)('ends its peers and itself when it is interrupted while %s', async (...stage) => {
    await using demo = sallyport(['demo', '--real']);
    const children = await reach(demo, stage);
    demo.signal('SIGINT');
    const { code, stdout } = await demo.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/everything is closed\n$/);
    await expectNoneLeft(children);
  });

  it('takes its peers along when it is interrupted twice', async () => {
    await using demo = sallyport(['demo', '--real']);
    const children = await reach(demo, stages[3]!);
    demo.signal('SIGINT');
    demo.signal('SIGTERM');
    expect((await demo.ended).code).toBeNull();
    await expectNoneLeft(children);
  });

  it('goes on to its end when nobody reads any more', async () => {
    await using demo = sallyport(['demo', '--real']);
    const children = await reach(demo, stages[1]!);
    demo.stdout.destroy();
    const { code, stderr } = await demo.ended;
    expect([code, stderr]).toEqual([0, '']);
    await expectNoneLeft(children);
  });
});
