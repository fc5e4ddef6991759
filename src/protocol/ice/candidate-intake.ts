import type { Candidate, RemoteCandidate } from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { isAdmissible, isAdmissibleCandidate, normalizeCandidate } from './admission.ts';
import type { Checklist } from './checklist.ts';
import type { IceDrop } from './contract.ts';
import { createLinkLocalZones, type LinkLocalZones } from './link-local.ts';

export interface CandidateIntakeOptions {
  readonly checklist: Checklist;
  readonly maxRemoteCandidates: number;
  readonly allowLoopback: boolean;
  /** Counts what is not let in. */
  readonly dropped: Record<IceDrop, number>;
}

/** What candidates and sources of checks pass on their way to the checklist: only those that packets may be aimed at. */
export class CandidateIntake {
  readonly #checklist: Checklist;
  readonly #zones: LinkLocalZones;
  readonly #allowLoopback: boolean;
  readonly #dropped: Record<IceDrop, number>;
  /**
   * Sources of checks, so that their address is judged once: a socket gives the same object for all packets of a
   * source.
   */
  readonly #sources = new WeakSet<Endpoint>();

  constructor({ checklist, maxRemoteCandidates, allowLoopback, dropped }: CandidateIntakeOptions) {
    this.#checklist = checklist;
    this.#zones = createLinkLocalZones(maxRemoteCandidates);
    this.#allowLoopback = allowLoopback;
    this.#dropped = dropped;
  }

  /** True when there are more pairs than before. */
  addLocal(given: Candidate): boolean {
    const candidate = this.#normalize(given);
    if (candidate === undefined || !this.#isAdmitted(candidate)) return false;
    const before = this.#checklist.size();
    this.#checklist.addLocal(candidate);
    for (const remote of this.#zones.addLocal(candidate)) this.#checklist.addRemote(remote);
    return this.#checklist.size() > before;
  }

  /** True when there are more pairs than before. */
  addRemote(signalled: RemoteCandidate): boolean {
    const candidate = this.#normalize(signalled);
    if (candidate === undefined) return false;
    const before = this.#checklist.size();
    for (const each of this.#zones.addRemote(candidate)) {
      if (this.#isAdmitted(each) && !this.#checklist.addRemote(each)) this.#dropped['too-many-candidates']++;
    }
    return this.#checklist.size() > before;
  }

  /** Whether messages from there are read. */
  admits(from: Endpoint): boolean {
    const admitted = this.#sources.has(from) || isAdmissible(from, this.#allowLoopback);
    if (!admitted) this.#dropped['forbidden-address']++;
    return admitted;
  }

  /** A check came from there, with the right password. */
  remember(from: Endpoint): void {
    this.#sources.add(from);
  }

  #normalize<C extends RemoteCandidate>(given: C): C | undefined {
    const candidate = normalizeCandidate(given);
    if (candidate === undefined) this.#dropped['malformed-candidate']++;
    return candidate;
  }

  #isAdmitted(candidate: RemoteCandidate): boolean {
    const admitted = isAdmissibleCandidate(candidate, this.#allowLoopback);
    if (!admitted) this.#dropped['forbidden-address']++;
    return admitted;
  }
}
