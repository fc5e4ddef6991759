import type { Flow } from '../../index.ts';
import { TECHNIQUES, type Technique } from '../../sim/oracle/forecast.ts';

/** By which of the oracle's techniques a flow can join two sides. Strategies of one's own count where they have the name of one. */
export function flowTechniques({ strategies }: Pick<Flow, 'strategies'>): readonly Technique[] {
  const names = strategies.map(({ name }) => name);
  return TECHNIQUES.filter((technique) => {
    if (technique === 'mapped') return mapsPorts({ strategies }) && names.includes('checks');
    return names.includes(technique) || (CHECKED.includes(technique) && names.includes('checks'));
  });
}

/** Whether a flow asks gateways for port mappings. */
export function mapsPorts({ strategies }: Pick<Flow, 'strategies'>): boolean {
  return strategies.some(({ gives }) => gives === 'mapping');
}

/** What ICE's checks come to. */
const CHECKED: readonly Technique[] = ['host', 'ipv6', 'reflexive', 'hairpin', 'tcp'];
