import { policies } from '../core/policy.ts';
import { fieldsOf, flowOf, LONGEST, type Scores, shown, usage, wholeNumber, wordOf } from '../flows/index.ts';
import { type ConnectionDelays, defaultConnectionDelays } from '../machines/connection-setup.ts';
import type { PeerOptions } from './peer.ts';

/** The options of a peer, which may have been written without types. Errors: `ERR_USAGE`, naming the option. */
export function peerOptionsOf(options: PeerOptions): PeerOptions {
  const { env, flow, scores, policy, delays } = fieldsOf('createPeer', options, NAMES);
  fieldsOf('createPeer: env', env);
  if (flow !== undefined) flowOf('createPeer: flow', flow);
  if (scores !== undefined) checkScores(scores);
  if (policy !== undefined) wordOf('createPeer: policy', policy, policies);
  if (delays !== undefined) fieldsOf('createPeer: delays', delays, DELAYS);
  return options;
}

/** The bounds of a connection's lifecycle: those that are given, and the default of the others. Errors: `ERR_USAGE`, naming the bound. */
export function connectionDelays(delays: Partial<ConnectionDelays> = {}): ConnectionDelays {
  const delayOf = (name: keyof ConnectionDelays): number =>
    wholeNumber(`createPeer: delays.${name}`, delays[name] ?? defaultConnectionDelays[name], 1, LONGEST);
  return {
    traversing: delayOf('traversing'),
    recovering: delayOf('recovering'),
    gone: delayOf('gone'),
    repunch: delayOf('repunch'),
  };
}

function checkScores(scores: Scores): void {
  const { note, of } = Object(scores) as Partial<Scores>;
  if (typeof note === 'function' && typeof of === 'function') return;
  throw usage('createPeer: scores', `${shown(scores)} is none; use createScores(json)?`);
}

const NAMES = ['env', 'identity', 'flow', 'scores', 'policy', 'accept', 'delays', 'inspect', 'observer'] as const;
const DELAYS = ['traversing', 'recovering', 'gone', 'repunch'] as const;
