import type { ErrorCode } from '../core/errors.ts';
import type { MappingAttempt } from '../core/port-lease.ts';
import type { MappingReach } from '../core/port-mapper.ts';

/** What to do about a mapping that hosts outside cannot use; nothing where they can. */
export function reachAdvice(reach: MappingReach): readonly string[] {
  return REACH_ADVICE[reach];
}

/** What to do when no gateway has given a mapping. */
export function failureAdvice(attempts: readonly MappingAttempt[]): readonly string[] {
  const codes = new Set(attempts.map(({ code }) => code));
  const fitting = FAILURE_ADVICE.filter(({ on }) => on.some((code) => codes.has(code)));
  return fitting.slice(0, 1).map(({ advice }) => advice);
}

const REACH_ADVICE: Readonly<Record<MappingReach, readonly string[]>> = {
  internet: [],
  carrier: [
    'the external address is one of a carrier’s NAT, so hosts on the internet cannot reach it: ask the provider for a public address, or let them meet by "sallyport listen" and "sallyport connect"',
  ],
  private: [
    'the external address is private, so there is another router before this gateway: map the port there as well, or switch one of them to bridge mode',
  ],
};

/** The most telling first: a gateway that answered says more than one that was silent. */
const FAILURE_ADVICE: readonly { readonly on: readonly ErrorCode[]; readonly advice: string }[] = [
  {
    on: ['ERR_MAPPING_CONFLICT'],
    advice:
      'choose another external port, or leave out --fail-if-taken; "sallyport map list" shows whose the port is, where the gateway tells',
  },
  {
    on: ['ERR_MAPPING_EXHAUSTED'],
    advice: 'the gateway has no room: see "sallyport map list" and remove what is not needed',
  },
  {
    on: ['ERR_MAPPING_REFUSED'],
    advice: 'allow port mapping for this host in the gateway’s settings, and see that the gateway itself is connected',
  },
  {
    on: ['ERR_GATEWAY_PROTOCOL'],
    advice: 'update the gateway’s firmware, or forward the port by hand in its settings',
  },
  {
    on: ['ERR_MAPPING_UNAVAILABLE', 'ERR_TIMEOUT'],
    advice:
      'switch on UPnP, NAT-PMP or PCP in the router’s settings, or forward the port there by hand; programs can also meet without a mapping, by "sallyport listen" and "sallyport connect"',
  },
];
