import { describe, expect, it } from 'vitest';
import { assign, createActor, fromPromise, setup } from 'xstate';
import { connectionMachine } from '../../src/machines/index.ts';
import { createPeerRecorder } from '../../src/trace/peer-recorder.ts';

const lamp = setup({
  types: { context: {} as { readonly presses: number; readonly password: string } },
  actions: { count: assign({ presses: ({ context }) => context.presses + 1 }) },
  actors: { warmUp: fromPromise(async () => 'warm') },
}).createMachine({
  id: 'lamp',
  context: { presses: 0, password: 'hunter2' },
  initial: 'dark',
  states: {
    dark: { on: { 'button.pressed': { target: 'lit', actions: 'count' }, 'button.touched': {} } },
    lit: { invoke: { id: 'warmth', src: 'warmUp', onDone: 'warm' }, on: { 'button.pressed': 'dark' } },
    warm: { type: 'final' },
  },
});

// biome-ignore lint/suspicious/noExplicitAny: records as their reader finds them
type Written = any;

function recorded(options?: Parameters<typeof createPeerRecorder>[2]) {
  const records: Written[] = [];
  return { records, recorder: createPeerRecorder('me', (record) => void records.push(record), options) };
}

describe('an actor of whatever machine', () => {
  it('is told with its machine, its edges and its children', async () => {
    const { records, recorder } = recorded();
    const actor = createActor(lamp, { id: 'desk', inspect: recorder.inspect }).start();
    actor.send({ type: 'button.touched' });
    actor.send({ type: 'button.pressed' });
    await new Promise((resolve) => actor.subscribe({ complete: () => resolve(undefined) }));
    expect(records[0]).toMatchObject({ who: 'me', what: 'machine', machine: 'lamp', definition: { id: 'lamp' } });
    expect(
      records.slice(1).map(({ what, actor, state, edges, parent }) => [what, actor, state, edges, parent]),
    ).toEqual(
      expect.arrayContaining([
        ['actor', 'desk', 'dark', undefined, undefined],
        ['event', 'desk', 'dark', ['dark#1'], undefined],
        ['event', 'desk', 'lit', ['dark#0'], undefined],
        ['actor', 'desk/warmth', undefined, undefined, 'desk'],
        ['event', 'desk', 'warm', ['lit#1'], undefined],
      ]),
    );
    const last = records.findLast(({ actor }) => actor === 'desk');
    expect(last).toMatchObject({ event: { type: 'xstate.done.actor.warmth' }, state: 'warm', status: 'done' });
  });

  it('is told with its context where that is wanted, when it has changed, without secrets', () => {
    const { records, recorder } = recorded({ contexts: true });
    const actor = createActor(lamp, { inspect: recorder.inspect }).start();
    actor.send({ type: 'button.touched' });
    actor.send({ type: 'button.pressed' });
    const contexts = records.filter(({ actor }) => actor === 'lamp').map(({ context }) => context);
    expect(contexts.slice(0, 3)).toEqual([
      { presses: 0, password: '[redacted]' },
      undefined,
      { presses: 1, password: '[redacted]' },
    ]);
    actor.stop();
  });

  it('has a name of its own among those that are active', () => {
    const { records, recorder } = recorded();
    const actors = [1, 2].map(() => createActor(lamp, { inspect: recorder.inspect }).start());
    expect(records.flatMap(({ what, actor }) => (what === 'actor' ? [actor] : []))).toEqual(['lamp', 'lamp 2']);
    expect(records.filter(({ what }) => what === 'machine')).toHaveLength(1);
    for (const actor of actors) actor.stop();
  });

  it('that runs already is told as it is now, once', () => {
    const { records, recorder } = recorded();
    const actor = createActor(lamp, { id: 'desk' }).start();
    actor.send({ type: 'button.pressed' });
    recorder.begin(actor);
    recorder.begin(actor);
    expect(records.map(({ what, state }) => [what, state])).toEqual([
      ['machine', undefined],
      ['actor', 'lit'],
    ]);
    actor.stop();
  });

  it('is no chart of Sallyport for having the id of one', () => {
    const { records, recorder } = recorded();
    const imposter = setup({}).createMachine({ id: connectionMachine.id, initial: 'idle', states: { idle: {} } });
    createActor(imposter, { inspect: recorder.inspect }).start().stop();
    expect(records.map(({ what }) => what)).not.toContain('chart');
    expect(records[1]).toMatchObject({ what: 'actor', machine: 'connection', state: 'idle' });
  });
});
